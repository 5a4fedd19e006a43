package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// TestHere: a function without a ctx finds the scope that bounds its caller,
// with any ctx of the loop.
func TestHere(t *testing.T) {
	run(t, func(main context.Context) error {
		if core.Here(main) != main || !core.OnLoop(main) {
			t.Error("main is not in its own scope")
		}
		Timeout(main, time.Hour, func(ctx context.Context) error {
			if core.Here(main) != ctx {
				t.Error("not the Timeout's")
			}
			task := Go(ctx, func(ctx context.Context) error {
				if core.Here(main) != ctx {
					t.Error("not the task's")
				}
				return nil
			})
			return task.Wait(ctx)
		})
		if core.Here(main) != main {
			t.Error("the Timeout stayed behind")
		}
		var e Event
		err := Timeout(main, time.Millisecond, func(context.Context) error { return e.Wait(core.Here(main)) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("an await under it:", err)
		}
		return nil
	})
}

func TestHereIsNowhere(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if core.Here(context.Background()) != nil || core.OnLoop(context.Background()) {
			t.Error("a ctx of no loop")
		}
		var called Future[bool]
		LoopOf(ctx).CallSoon(func() { called.SetResult(core.Here(ctx) == nil && core.OnLoop(ctx)) })
		if ok, err := called.Await(ctx); !ok || err != nil {
			t.Error("in a callback", err)
		}
		_, err := ToThread(ctx, func(context.Context) (struct{}, error) {
			if core.Here(ctx) != nil || core.OnLoop(ctx) {
				t.Error("on another goroutine")
			}
			return struct{}{}, nil
		})
		return err
	})
}
