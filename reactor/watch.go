package reactor

import (
	"context"
	"iter"

	"github.com/eddyio/eddy/reactor/core"
)

// A Watch is a value whose changes tasks can wait for: each gets the latest
// value, and may miss intermediate ones. The zero Watch holds the zero T, as
// version 0. It belongs to the loop of the tasks that use it, and must not be
// copied.
type Watch[T any] struct {
	home    core.Home
	value   T
	version uint64
	closed  bool
	waiters core.WaitList
}

// Set changes the value and readies all tasks that wait for a change.
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

// Next waits until there is a version later than after, and returns the latest
// value and its version. It returns at once if there is one already. The error
// is ctx's, or [ErrClosed] if there will be none.
func (v *Watch[T]) Next(ctx context.Context, after uint64) (T, uint64, error) {
	w, s, err := v.home.Await(ctx, "Watch.Next")
	for err == nil && v.version <= after {
		if v.closed {
			return v.value, v.version, ErrClosed
		}
		if err = v.waiters.Wait(w, s, waitingFor("a new value")); err == ErrClosed {
			err = nil // there may have been a last value before Close
		}
	}
	return v.value, v.version, err
}

// Close declares that the value will not change any more, and wakes waiting
// tasks.
func (v *Watch[T]) Close() {
	v.home.OnLoop("Watch.Close")
	v.closed = true
	v.waiters.WakeAll(core.WokenClosed)
}

// Changes returns an iterator over the present value and later ones, the latest
// each time, until the Watch is closed or ctx is done. If ctx is done already,
// it yields nothing.
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
