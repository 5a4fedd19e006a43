package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// asyncio's case 35: the deadline moves earlier, later, and away, while the
// body waits and before.
func TestScopeDeadlineMoves(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for _, c := range []struct {
			name    string
			move    func(s *CancelScope)
			want    time.Duration // when the body is woken
			expired bool
		}{
			{"not at all", func(s *CancelScope) {}, 10, true},
			{"earlier", func(s *CancelScope) { s.SetTimeout(3) }, 5, true},
			{"later", func(s *CancelScope) { s.SetTimeout(30) }, 32, true},
			{"to now", func(s *CancelScope) { s.SetTimeout(0) }, 2, true},
			{"into the past", func(s *CancelScope) { s.SetTimeout(-9) }, 2, true},
			{"away", func(s *CancelScope) { s.SetDeadline(time.Time{}) }, 99, false},
			{"away and back", func(s *CancelScope) { s.SetDeadline(time.Time{}); s.SetTimeout(8) }, 10, true},
			{"by the wall", func(s *CancelScope) { s.SetDeadline(l.WallOf(int64(Facade(l).Time()+5), ctx)) }, 7, true},
			{"by the wall, long ago", func(s *CancelScope) { s.SetDeadline(time.Unix(0, 0)) }, 2, true},
			{"to where it can't", func(s *CancelScope) { s.SetTimeout(1<<63 - 1) }, 99, false},
		} {
			began := Facade(l).Time()
			err := Scope(ctx, func(ctx context.Context, s *CancelScope) error {
				if err := s.SetTimeout(10); err != nil {
					t.Error(err)
				}
				Facade(l).CallLater(2, func() { c.move(s) })
				err := Sleep(ctx, 99)
				if s.Expired() != c.expired || (err == context.DeadlineExceeded) != c.expired {
					t.Errorf("%s: expired %v, %v", c.name, s.Expired(), err)
				}
				return err
			})
			if took := Facade(l).Time() - began; took != c.want || (err != nil) != c.expired {
				t.Errorf("%s: took %d, want %d: %v", c.name, took, c.want, err)
			}
		}
		if l.Holdings().Timers != 0 {
			t.Error("a timer is left")
		}
		return nil
	})
}

// At loop time zero a timeout of zero is a timeout too.
func TestTimeoutAtTimeZero(t *testing.T) {
	for _, d := range []time.Duration{0, -1, -time.Hour} {
		run(t, func(ctx context.Context) error {
			err := Timeout(ctx, d, func(ctx context.Context) error {
				if _, ok := ctx.Deadline(); !ok {
					t.Errorf("%v: no deadline", d)
				}
				return Sleep(ctx, time.Hour)
			})
			if !timedOut(err) {
				t.Errorf("%v: got %v", d, err)
			}
			return nil
		})
	}
}

func TestScopeDeadlineIsTold(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			if _, ok := ctx.Deadline(); ok {
				t.Error("a deadline from nowhere")
			}
			s.SetTimeout(time.Hour)
			at, ok := ctx.Deadline()
			if d := time.Until(at); !ok || d < 59*time.Minute || d > time.Hour {
				t.Errorf("in %v, %v", d, ok)
			}
			s.SetDeadline(at.Add(time.Hour))
			if got, _ := ctx.Deadline(); !got.Equal(at.Add(time.Hour)) {
				t.Errorf("moved to %v, not %v", got, at.Add(time.Hour))
			}
			s.SetDeadline(time.Time{})
			if _, ok := ctx.Deadline(); ok {
				t.Error("taken away, and still there")
			}
			return nil
		})
	})
}

// Of nested scopes, the one whose deadline passes has expired, and those around
// it have not; if all pass at once, the outermost has.
func TestScopeWhoExpired(t *testing.T) {
	for _, c := range []struct {
		outer, inner               time.Duration
		outerExpired, innerExpired bool
	}{
		{10, 5, false, true},
		{5, 10, true, false},
		{5, 5, true, false},
	} {
		run(t, func(ctx context.Context) error {
			Scope(ctx, func(ctx context.Context, outer *CancelScope) error {
				outer.SetTimeout(c.outer)
				Scope(ctx, func(ctx context.Context, inner *CancelScope) error {
					inner.SetTimeout(c.inner)
					if err := Sleep(ctx, 99); err != context.DeadlineExceeded {
						t.Errorf("%v: %v", c, err)
					}
					if outer.Expired() != c.outerExpired || inner.Expired() != c.innerExpired {
						t.Errorf("%v: outer %v, inner %v", c, outer.Expired(), inner.Expired())
					}
					return nil
				})
				if err := Yield(ctx); (err != nil) != c.outerExpired {
					t.Errorf("%v: outside the inner one: %v", c, err)
				}
				return nil
			})
			return nil
		})
	}
}

// A cancellation before the deadline is not an expiry, and stays a
// cancellation.
func TestScopeCancel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var kept *CancelScope
		err := Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			kept = s
			s.SetTimeout(5)
			child := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, 99) })
			Facade(l).CallLater(3, func() {
				if !s.Cancel(errBoom) || s.Cancel(nil) {
					t.Error("Cancel is not true once")
				}
			})
			err := Sleep(ctx, 99)
			Sleep(context.WithoutCancel(ctx), 10) // past the deadline
			if s.SetTimeout(0) != nil || Yield(context.WithoutCancel(ctx)) != nil || s.Expired() {
				t.Error("a cancelled scope expired")
			}
			if err := child.Wait(context.WithoutCancel(ctx)); !errors.Is(err, errBoom) {
				t.Errorf("a task below it: %v", err)
			}
			if Cause(ctx) != errBoom {
				t.Errorf("the cause is %v", Cause(ctx))
			}
			return err
		})
		if !errors.Is(err, errBoom) || !errors.Is(err, context.Canceled) || ctx.Err() != nil {
			t.Errorf("%v; outside: %v", err, ctx.Err())
		}
		if kept.Cancel(nil) || kept.SetTimeout(1) != ErrScopeOver || kept.SetDeadline(time.Time{}) != ErrScopeOver {
			t.Error("a scope that is over takes orders")
		}
		if l.Holdings().Timers != 0 {
			t.Error("a timer is left")
		}
		return nil
	})
}

// An outer cancellation in the turn of the deadline wins, and an error that the
// body swallows is not swallowed by the outer scope.
func TestScopeAndOuterCancel(t *testing.T) {
	for _, outerFirst := range []bool{true, false} {
		run(t, func(ctx context.Context) error {
			var victim Future[AnyTask]
			Go(ctx, func(ctx context.Context) error { // falls asleep first, and so wakes first
				if outerFirst {
					Sleep(ctx, 4)
				} else {
					Sleep(ctx, 5)
				}
				task, err := victim.Await(ctx)
				task.Cancel(errBoom)
				return err
			})
			task := Go(ctx, func(ctx context.Context) error {
				return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
					s.SetTimeout(5)
					err := Sleep(ctx, 99)
					if s.Expired() == outerFirst {
						t.Errorf("outer first %v: expired %v", outerFirst, s.Expired())
					}
					return err
				})
			})
			victim.SetResult(task)
			if err := task.Wait(ctx); !errors.Is(err, errBoom) {
				t.Errorf("outer first %v: %v", outerFirst, err)
			}
			return nil
		})
	}
}

func TestScopeMisuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wantPanic(t, "nil function", func() { Scope(ctx, nil) })
		if err := Scope(doneCtx(ctx), func(context.Context, *CancelScope) error { t.Error("called"); return nil }); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			if elsewhere(func() { s.Cancel(nil) }) == "" || elsewhere(func() { s.SetTimeout(1) }) == "" {
				t.Error("no panic on another goroutine")
			}
			return Yield(ctx)
		})
	})
}

func TestTimeoutAllocates(t *testing.T) {
	f := func(context.Context) error { return nil }
	allocsPerRun(t, 2, func(ctx context.Context) { Timeout(ctx, time.Second, f) })
}
