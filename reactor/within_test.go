package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Code Within a foreign context obeys both that and the task's scope.
func TestWithin(t *testing.T) {
	type key struct{}
	errForeign := errors.New("the foreign context's cause")
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		wait := func(foreign context.Context) error {
			return Facade(l).Within(foreign, new(Event).Wait)
		}
		if err := Timeout(ctx, time.Second, func(context.Context) error { return wait(context.Background()) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the task's scope is done: %v", err)
		}
		foreign, cancel := context.WithCancelCause(context.Background())
		if err := Timeout(ctx, time.Second, func(context.Context) error { return wait(foreign) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the task's scope is done below another: %v", err)
		}
		waiting := Go(ctx, func(context.Context) error { return wait(foreign) })
		Yield(ctx)
		cancel(errForeign)
		if err := waiting.Wait(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, errForeign) {
			t.Errorf("the foreign context is done: %v", err)
		}
		if err := wait(foreign); !errors.Is(err, errForeign) {
			t.Errorf("it was done before: %v", err)
		}
		values := context.WithValue(context.Background(), key{}, "theirs")
		deadline := l.WallOf(int64(time.Minute), ctx)
		dated, stop := context.WithDeadline(values, deadline)
		defer stop()
		return Facade(l).Within(dated, func(ctx context.Context) error {
			if got := ctx.Value(key{}); got != "theirs" {
				t.Errorf("value %v", got)
			}
			if d, ok := ctx.Deadline(); !ok || !d.Equal(deadline) {
				t.Errorf("deadline %v, %v", d, ok)
			}
			if core.Here(ctx) != ctx || LoopOf(ctx) != Facade(l) || !Facade(l).InTask() {
				t.Error("its ctx is not one of the task's")
			}
			return nil
		})
	})
}
