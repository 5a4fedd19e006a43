package reactor

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor/core"
)

// A Future is a result that is set later: the bridge from callbacks to tasks.
// The zero Future is pending and ready to use; it must not be copied after
// first use. It belongs to the loop whose tasks await it, and its methods may
// be called only by that loop's tasks and callbacks: from elsewhere, pass
// [Loop.Post] a function that sets it.
type Future[T any] struct {
	home    core.Home
	value   T
	err     error
	done    bool
	waiters core.WaitList
}

// ErrSet is returned when a [Future] is set again.
var ErrSet = errors.New("reactor: the future is set already")

// SetResult sets the future's value and readies the tasks that await it, in the
// order of their calls. The error is [ErrSet] if it was set before.
func (f *Future[T]) SetResult(value T) error { return f.set(value, nil) }

// SetError makes the future fail with err, which must not be nil, and readies
// the tasks that await it. The error is [ErrSet] if it was set before.
func (f *Future[T]) SetError(err error) error {
	if err == nil {
		return errors.New("reactor: Future.SetError with a nil error")
	}
	var none T
	return f.set(none, err)
}

func (f *Future[T]) set(value T, err error) error {
	f.home.OnLoop("setting a Future")
	if f.done {
		return ErrSet
	}
	f.value, f.err, f.done = value, err, true
	f.waiters.WakeAll(core.WokenDone)
	return nil
}

// Finished reports whether the future has a value or an error.
func (f *Future[T]) Finished() bool {
	f.home.OnLoop("Future.Finished")
	return f.done
}

// Result returns the future's value and error without waiting; the error is
// [ErrNotDone] if it is pending.
func (f *Future[T]) Result() (T, error) {
	f.home.OnLoop("Future.Result")
	if !f.done {
		return f.value, ErrNotDone
	}
	return f.value, f.err
}

// Await suspends the running task until the future is set, and returns its
// value and error, or ctx's error if ctx is done first. If it is set already,
// Await returns without suspending. To get the result even if ctx is done, use
// [Future.Result].
func (f *Future[T]) Await(ctx context.Context) (T, error) {
	w, s, err := f.home.Await(ctx, "Future.Await")
	if err == nil && !f.done {
		err = f.waiters.Wait(w, s, waitingFor("a future"))
	}
	if err != nil {
		var none T
		return none, err
	}
	return f.value, f.err
}
