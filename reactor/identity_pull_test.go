//go:build !openbsd && !coro_nested && !(darwin && purego)

package reactor

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Where threads can be identified, the body of an iter.Pull is recognized as
// part of the task that drives it.
func TestSuspendingInsideIterPull(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		other := Go(ctx, func(ctx context.Context) error {
			for i := range 4 {
				tr.add("o%d", i)
				Sleep(ctx, time.Second)
			}
			return nil
		})
		next, stop := iter.Pull(func(yield func(int) bool) {
			for i := range 3 {
				if err := Sleep(ctx, time.Second); err != nil || !core.InTask(ctx) {
					t.Error(err)
				}
				tr.add("p%d", i)
				if !yield(i) {
					return
				}
			}
		})
		defer stop()
		for v, ok := next(); ok; v, ok = next() {
			tr.add("m%d", v)
			checkNow(t, core.Nearest(ctx).Loop())
		}
		tr.want(t, "o0 p0 m0 o1 p1 m1 o2 p2 m2")
		return other.Wait(ctx)
	})
}

func init() {
	within["iter.Pull"] = func(ctx context.Context, enter func(context.Context, func(context.Context) error) error) stepper {
		next, stop := iter.Pull(func(yield func(int) bool) {
			enter(ctx, func(ctx context.Context) error { yield(1); return nil })
		})
		return stepper{func() { next() }, stop}
	}
}
