package poll

import (
	"context"
	"errors"
	"os"

	"github.com/eddyio/eddy/reactor"
)

// elsewhere does a method that a goroutine has called as a task of the loop, and
// blocks until it is done: for descriptors that Go's poller does not know. If it
// panics, so does the caller.
func elsewhere[T any](f *FD, do func() (T, error)) (T, error) {
	v, err := reactor.Submit(f.Loop(), func(context.Context) (T, error) { return do() })(context.Background())
	if p, ok := err.(*reactor.PanicError); ok {
		panic(p.Value)
	}
	if err == reactor.ErrLoopClosed || errors.Is(err, context.Canceled) {
		err = os.ErrClosed // the loop ends, and all its sockets with it
	}
	return v, err
}

func elsewhere0(f *FD, do func() error) error {
	_, err := elsewhere(f, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
