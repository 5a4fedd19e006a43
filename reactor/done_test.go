package reactor

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestDoneWhileTheLoopStands: a task that blocks its loop in a select on Done
// is released at the deadline of its scope.
func TestDoneWhileTheLoopStands(t *testing.T) {
	const long = 10 * time.Second
	stand := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(long):
			return errors.New("the task stood")
		}
	}
	in := func(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
		return Timeout(ctx, d, f)
	}
	for name, f := range map[string]func(ctx context.Context) error{
		"its own scope": func(ctx context.Context) error { return in(ctx, time.Millisecond, stand) },
		"a scope around": func(ctx context.Context) error {
			return in(ctx, time.Millisecond, func(ctx context.Context) error { return in(ctx, time.Hour, stand) })
		},
		"a task's": func(ctx context.Context) error {
			return in(ctx, 5*time.Millisecond, func(ctx context.Context) error { return Go(ctx, stand).Wait(context.WithoutCancel(ctx)) })
		},
		"a derived context": func(ctx context.Context) error {
			return in(ctx, time.Millisecond, func(ctx context.Context) error {
				type key struct{}
				ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, 2))
				defer cancel()
				return stand(ctx)
			})
		},
		"a deadline that is moved": func(ctx context.Context) error {
			return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
				ctx.Done()
				s.SetTimeout(time.Hour)
				inner, cancel := context.WithCancel(ctx)
				defer cancel()
				s.SetTimeout(time.Millisecond)
				return stand(inner)
			})
		},
		"a std context around": func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			return in(ctx, time.Hour, stand)
		},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			runReal(t, func(ctx context.Context) error {
				err := f(ctx)
				if _, signed := errors.AsType[*TimeoutError](err); signed != (name != "a std context around") || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, a TimeoutError: %v", err, signed)
				}
				return Yield(context.WithoutCancel(ctx))
			})
			if d := time.Since(start); d > long/2 {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestDoneAfterADeadlineThatWasMovedAway: Done does not close before the new
// deadline.
func TestDoneAfterADeadlineThatWasMovedAway(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			s.SetTimeout(2 * time.Millisecond)
			done := ctx.Done()
			s.SetTimeout(time.Hour)
			time.Sleep(10 * time.Millisecond) // the loop stands, and the first deadline passes
			select {
			case <-done:
				t.Error("done, by a deadline that was moved")
			default:
			}
			if err := ctx.Err(); err != nil {
				t.Error(err)
			}
			return nil
		})
	})
}
