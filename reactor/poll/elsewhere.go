package poll

import (
	"context"
	"errors"
	"os"

	"github.com/eddyio/eddy/reactor"
)

// elsewhere calls do in a task of the loop, for a method that a goroutine has
// called, and blocks until it is done. It is for descriptors that Go's poller
// does not know. If do panics, so does the caller.
func elsewhere[T any](f *FD, do func() (T, error)) (T, error) {
	v, err := reactor.Submit(f.Loop(), func(context.Context) (T, error) { return do() })(context.Background())
	if p, ok := err.(*reactor.PanicError); ok {
		panic(p.Value)
	}
	if err == reactor.ErrLoopClosed || errors.Is(err, context.Canceled) {
		err = os.ErrClosed // the loop's end closes all its sockets
	}
	return v, err
}

func elsewhere0(f *FD, do func() error) error {
	_, err := elsewhere(f, func() (struct{}, error) { return struct{}{}, do() })
	return err
}
