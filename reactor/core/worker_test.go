package core_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// The state that a task leaves behind is nothing to the next one.
func TestAWorkersNextTaskStartsAfresh(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var first *core.Worker
		a := reactor.Go(ctx, func(ctx context.Context) error {
			first, _, _ = core.Await(ctx, "test")
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			reactor.Timeout(ctx, time.Second, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
			return reactor.Sleep(derived, time.Second)
		})
		a.Wait(ctx)
		if !first.Afresh() {
			t.Errorf("left behind: %+v", first)
		}
		reactor.Yield(ctx)
		b := reactor.Go(ctx, func(ctx context.Context) error {
			if w, s, _ := core.Await(ctx, "test"); w != first || s != core.Nearest(ctx) {
				t.Error("another worker, or another scope")
			}
			return reactor.Sleep(ctx, time.Hour)
		})
		reactor.Yield(ctx)
		if a.Cancel(nil) || !b.Cancel(errBoom) {
			t.Error("Cancel")
		}
		if err := b.Wait(ctx); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}
