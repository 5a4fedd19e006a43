package reactor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// timedOut reports whether err is that of a Timeout whose own time was up.
func timedOut(err error) bool {
	var own *TimeoutError
	return errors.As(err, &own) && errors.Is(err, context.DeadlineExceeded)
}

func TestTimeout(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var inner context.Context
		err := Timeout(ctx, time.Second, func(ctx context.Context) error {
			inner = ctx
			return Sleep(ctx, time.Hour)
		})
		if !timedOut(err) || Facade(l).Time() != time.Second || inner.Err() != context.DeadlineExceeded {
			t.Errorf("%v at %v", err, Facade(l).Time())
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
			if err := Timeout(ctx, d, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }); !timedOut(err) {
				t.Errorf("%v: %v", d, err)
			}
		}
		if now := LoopOf(ctx).Time(); now > time.Millisecond {
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
			l := core.Nearest(ctx).Loop()
			var in, out error
			Timeout(ctx, c.outer*time.Second, func(ctx context.Context) error {
				Timeout(ctx, c.inner*time.Second, func(ctx context.Context) error {
					in = Sleep(ctx, time.Hour)
					return nil
				})
				if Facade(l).Time() != c.want*time.Second {
					t.Errorf("%v: at %v", c, Facade(l).Time())
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
		if !timedOut(err) {
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
		if !timedOut(err) {
			t.Errorf("shielded: %v", err)
		}
		return Yield(ctx)
	})
}

func TestTimeoutLeavesNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for range 10 {
			Timeout(ctx, time.Hour, func(ctx context.Context) error { return Yield(ctx) })
		}
		if l.Holdings().Timers != 0 {
			t.Errorf("%d timers", l.Holdings().Timers)
		}
		return nil
	})
}

// The error tells whose deadline passed: errors.As succeeds for that Timeout,
// and for no Timeout within it.
func TestWhoseDeadlineItWas(t *testing.T) {
	type f = func(ctx context.Context) error
	waits := func(ctx context.Context) error { return Sleep(ctx, time.Hour) }
	words := func(ctx context.Context) error { return fmt.Errorf("row 7: %w", waits(ctx)) }
	joins := func(ctx context.Context) error { return errors.Join(waits(ctx), errBoom) }
	asks := func(ctx context.Context) error { waits(ctx); return ctx.Err() }
	group := func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error { g.Go(waits); return nil })
	}
	for name, body := range map[string]f{"awaits": waits, "words": words, "joins": joins, "asks the ctx": asks, "group": group} {
		for way, timeout := range map[string]func(ctx context.Context, d time.Duration, f f) error{
			"Timeout":   Timeout,
			"TimeoutAt": func(ctx context.Context, d time.Duration, f f) error { return TimeoutAt(ctx, Now(ctx).Add(d), f) },
			"Scope": func(ctx context.Context, d time.Duration, f f) error {
				return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
					s.SetTimeout(d)
					return f(ctx)
				})
			},
		} {
			run(t, func(ctx context.Context) error {
				var inner error
				outer := timeout(ctx, time.Minute, func(ctx context.Context) error {
					inner = timeout(ctx, time.Second, body)
					return nil
				})
				if !timedOut(inner) || outer != nil {
					t.Errorf("%s, %s: the inner one returns %v, the outer %v", way, name, inner, outer)
				}
				outer = timeout(ctx, time.Second, func(ctx context.Context) error {
					inner = timeout(ctx, time.Minute, body)
					return inner
				})
				if timedOut(inner) || !errors.Is(inner, context.DeadlineExceeded) || !timedOut(outer) {
					t.Errorf("%s, %s: the outer's time is up: the inner one returns %v, the outer %v", way, name, inner, outer)
				}
				return nil
			})
		}
	}
	run(t, func(ctx context.Context) error {
		if err := Timeout(ctx, time.Second, func(ctx context.Context) error { waits(ctx); return errBoom }); err != errBoom {
			t.Errorf("an error of the function's own: %v", err)
		}
		if err := Timeout(ctx, time.Second, func(ctx context.Context) error { waits(ctx); return nil }); err != nil {
			t.Errorf("none: %v", err)
		}
		if err := Timeout(ctx, time.Minute, func(context.Context) error { return context.DeadlineExceeded }); err != context.DeadlineExceeded {
			t.Errorf("one of somebody else's making: %v", err)
		}
		var n net.Error
		if err := Timeout(ctx, time.Second, waits); !errors.As(err, &n) || !n.Timeout() || err.Error() != "context deadline exceeded" {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

// A loop that tries again when its own attempt took too long ends when there is no
// time left for it.
func TestTryingAgainEndsWithTheOuterDeadline(t *testing.T) {
	run(t, func(ctx context.Context) error {
		attempts := 0
		err := Timeout(ctx, time.Minute, func(ctx context.Context) error {
			for {
				attempts++
				err := Timeout(ctx, 25*time.Second, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				if !timedOut(err) {
					return err
				}
			}
		})
		if !timedOut(err) || attempts != 3 || LoopOf(ctx).Time() != time.Minute {
			t.Errorf("%v after %d attempts at %v", err, attempts, LoopOf(ctx).Time())
		}
		return nil
	})
}

// A deadline that has passed when it is set makes the scope done at once: the body
// runs, under a ctx that is done, and no await in it succeeds.
func TestDeadlinesOfThePast(t *testing.T) {
	type f = func(ctx context.Context) error
	at := func(when time.Time) func(ctx context.Context, f f) error {
		return func(ctx context.Context, f f) error { return TimeoutAt(ctx, when, f) }
	}
	set := func(set func(s *CancelScope) error) func(ctx context.Context, f f) error {
		return func(ctx context.Context, f f) error {
			return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
				s.SetTimeout(time.Hour)
				if err := set(s); err != nil || !s.Expired() {
					t.Errorf("%v, expired: %v", err, s.Expired())
				}
				return f(ctx)
			})
		}
	}
	for name, enter := range map[string]func(ctx context.Context, f f) error{
		"Timeout(0)":       func(ctx context.Context, f f) error { return Timeout(ctx, 0, f) },
		"Timeout(-1)":      func(ctx context.Context, f f) error { return Timeout(ctx, -1, f) },
		"Timeout(min)":     func(ctx context.Context, f f) error { return Timeout(ctx, math.MinInt64, f) },
		"TimeoutAt(zero)":  at(time.Time{}),
		"TimeoutAt(1970)":  at(time.Unix(0, 0)),
		"TimeoutAt(now)":   func(ctx context.Context, f f) error { return TimeoutAt(ctx, Now(ctx), f) },
		"SetTimeout(0)":    set(func(s *CancelScope) error { return s.SetTimeout(0) }),
		"SetTimeout(-1h)":  set(func(s *CancelScope) error { return s.SetTimeout(-time.Hour) }),
		"SetTimeout(min)":  set(func(s *CancelScope) error { return s.SetTimeout(math.MinInt64) }),
		"SetDeadline(old)": set(func(s *CancelScope) error { return s.SetDeadline(time.Unix(0, 0)) }),
	} {
		for _, later := range []time.Duration{0, time.Minute} { // zero is the very beginning of the loop's time
			run(t, func(ctx context.Context) error {
				Sleep(ctx, later)
				l, called := core.Nearest(ctx).Loop(), false
				err := enter(ctx, func(ctx context.Context) error {
					called = true
					if _, ok := ctx.Deadline(); !ok || ctx.Err() != context.DeadlineExceeded {
						t.Errorf("%s: a deadline: %v, and the ctx says %v", name, ok, ctx.Err())
					}
					return Yield(ctx)
				})
				if !called || !timedOut(err) || Facade(l).Time() != later {
					t.Errorf("%s: called %v, %v at %v", name, called, err, Facade(l).Time())
				}
				return nil
			})
		}
	}
	run(t, func(ctx context.Context) error {
		return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			s.SetTimeout(time.Second)
			s.SetDeadline(time.Time{}) // none, as of a net.Conn
			return Sleep(ctx, time.Minute)
		})
	})
}

// A task that is added to a group being cancelled runs, under a ctx that is
// done, so that it can clean up what was passed to it.
func TestWhatIsAddedToAnAbortingGroupRuns(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(context.Context) error { return errBoom })
			Sleep(ctx, time.Hour)
			g.Go(func(ctx context.Context) error {
				tr.add("%v", ctx.Err())
				err := Sleep(ctx, time.Hour)
				tr.add("%v", errors.Is(err, context.Canceled))
				return err
			})
			return nil
		})
		tr.add("%v %v", err, LoopOf(ctx).Time())
		return nil
	})
	tr.want(t, "context canceled true boom 0s")
}
