package reactor

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var inner context.Context
		err := Timeout(ctx, time.Second, func(ctx context.Context) error {
			inner = ctx
			return Sleep(ctx, time.Hour)
		})
		if err != context.DeadlineExceeded || l.Now() != time.Second || inner.Err() != context.DeadlineExceeded {
			t.Errorf("%v at %v", err, l.Now())
		}
		if err := Timeout(ctx, time.Second, func(ctx context.Context) error { return errBoom }); err != errBoom {
			t.Errorf("body's own: %v", err)
		}
		// Nothing of the timeout is left.
		Sleep(ctx, time.Hour)
		return Yield(ctx)
	})
}

// asyncio case 34.
func TestTimeoutOfNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{0, -1, -time.Hour} {
			if err := Timeout(ctx, d, func(ctx context.Context) error { return nil }); err != nil {
				t.Errorf("%v, without an await: %v", d, err)
			}
			if err := Timeout(ctx, d, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }); err != context.DeadlineExceeded {
				t.Errorf("%v: %v", d, err)
			}
		}
		if now := nearest(ctx).loop.Now(); now > time.Millisecond {
			t.Errorf("at %v", now)
		}
		return nil
	})
}

// asyncio case 94: a cancellation that came before is not swallowed.
func TestTimeoutUnderADoneScope(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error {
			return Timeout(ctx, 0, func(ctx context.Context) error { t.Error("f was called"); return nil })
		})
		task.Cancel(errBoom)
		if err := task.Wait(ctx); !errors.Is(err, errBoom) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestNestedTimeouts(t *testing.T) {
	for _, c := range []struct{ outer, inner, want time.Duration }{{1, 2, 1}, {2, 1, 1}, {1, 1, 1}} {
		run(t, func(ctx context.Context) error {
			l := nearest(ctx).loop
			var in, out error
			Timeout(ctx, c.outer*time.Second, func(ctx context.Context) error {
				Timeout(ctx, c.inner*time.Second, func(ctx context.Context) error {
					in = Sleep(ctx, time.Hour)
					return nil
				})
				if l.Now() != c.want*time.Second {
					t.Errorf("%v: at %v", c, l.Now())
				}
				out = Yield(ctx)
				return nil
			})
			if in != context.DeadlineExceeded || (out == context.DeadlineExceeded) != (c.outer == 1) {
				t.Errorf("%v: inner %v, outer %v", c, in, out)
			}
			return nil
		})
	}
}

// A task may use the outer ctx inside the body: then only that one bounds it.
func TestTheCtxDecidesAndNotTheBody(t *testing.T) {
	run(t, func(outer context.Context) error {
		err := Timeout(outer, time.Second, func(ctx context.Context) error {
			if err := Sleep(outer, time.Minute); err != nil {
				t.Errorf("under the outer ctx: %v", err)
			}
			return Yield(ctx)
		})
		if err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

// Timeouts under the standard library's contexts, whose cancellation reaches them.
func TestTimeoutUnderAForeignCtx(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		derived, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Millisecond, func() { cancel(errBoom) })
		err := Timeout(derived, time.Hour, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		if !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		shielded := context.WithoutCancel(ctx)
		err = Timeout(shielded, time.Millisecond, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		if err != context.DeadlineExceeded {
			t.Errorf("shielded: %v", err)
		}
		return Yield(ctx)
	})
}

func TestTimeoutLeavesNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		for range 10 {
			Timeout(ctx, time.Hour, func(ctx context.Context) error { return Yield(ctx) })
		}
		if l.wheel.Len() != 0 || nearest(ctx).kids != nil {
			t.Errorf("%d timers, kids %v", l.wheel.Len(), nearest(ctx).kids)
		}
		return nil
	})
}
