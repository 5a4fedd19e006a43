package net

import (
	"context"
	"errors"
	"os"

	"github.com/eddyio/eddy/reactor"
)

// plain puts this package's error for a closed socket in the place of the
// reactor's.
func plain(err error) error {
	if err == os.ErrClosed {
		return ErrClosed
	}
	return err
}

// elsewhere does f, a method called by a goroutine that is not the running
// task, as a task of the loop, and blocks until it is done. If f panics, so does
// the caller.
func elsewhere[T any](fd *reactor.FD, f func() (T, error)) (T, error) {
	wait := reactor.Submit(fd.Loop(), func(context.Context) (T, error) { return f() })
	v, err := wait(context.Background())
	repanic(err)
	if err == reactor.ErrLoopClosed || errors.Is(err, context.Canceled) {
		err = ErrClosed // the loop ends, and all its sockets with it
	}
	return v, err
}

// closeFD closes fd, from whichever goroutine.
func closeFD(fd *reactor.FD, failed func(error) error) error {
	if !fd.OnLoop() {
		_, err := elsewhere(fd, func() (struct{}, error) { return struct{}{}, closeFD(fd, failed) })
		return err
	}
	if err := fd.Close(); err != nil {
		return failed(err)
	}
	return nil
}

// repanic panics as a task has that worked for the caller, and ended with err.
func repanic(err error) {
	if p, ok := err.(*reactor.PanicError); ok {
		panic(p.Value)
	}
}
