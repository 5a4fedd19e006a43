package reactor

import (
	"context"
	"iter"

	"github.com/eddyio/eddy/reactor/core"
)

// A Watch is a value that tasks follow as it changes: each gets the latest one,
// and may miss those between. The zero Watch holds the zero T, as version 0. It
// belongs to the loop of the tasks that use it, and must not be copied.
type Watch[T any] struct {
	home    core.Home
	value   T
	version uint64
	closed  bool
	waiters core.WaitList
}

// Set changes the value and readies all that wait for a change.
func (v *Watch[T]) Set(value T) {
	v.home.OnLoop("Watch.Set")
	v.value = value
	v.version++
	v.waiters.WakeAll(core.WokenDone)
}

// Get returns the value and its version, which grows by one with each Set.
func (v *Watch[T]) Get() (T, uint64) {
	v.home.OnLoop("Watch.Get")
	return v.value, v.version
}

// Next waits until there is a version after the given one, at once if there is
// one, and returns the latest value and its version. The error is ctx's, or
// [ErrClosed] when there will be none.
func (v *Watch[T]) Next(ctx context.Context, after uint64) (T, uint64, error) {
	w, s, err := v.home.Await(ctx, "Watch.Next")
	for err == nil && v.version <= after {
		if v.closed {
			return v.value, v.version, ErrClosed
		}
		if err = v.waiters.Wait(w, s, waitingFor("a new value")); err == ErrClosed {
			err = nil // there may have been a last value before it
		}
	}
	return v.value, v.version, err
}

// Close says that the value will not change any more: it ends those who wait.
func (v *Watch[T]) Close() {
	v.home.OnLoop("Watch.Close")
	v.closed = true
	v.waiters.WakeAll(core.WokenClosed)
}

// Changes ranges over the present value and all later ones, the latest each
// time, until the Watch is closed or ctx is done; of one that is done when the
// loop begins, over none.
func (v *Watch[T]) Changes(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		if _, _, err := v.home.Await(ctx, "Watch.Changes"); err != nil {
			return
		}
		value, version := v.Get()
		for yield(value) {
			var err error
			if value, version, err = v.Next(ctx, version); err != nil {
				return
			}
		}
	}
}
