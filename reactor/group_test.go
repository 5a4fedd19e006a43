package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func fails(d time.Duration, err error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		if e := Sleep(ctx, d); e != nil {
			return e
		}
		return err
	}
}

// asyncio case 38.
func TestGroupCancelsTheSiblings(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var sibling, body error
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				sibling = Sleep(ctx, time.Hour)
				Sleep(context.WithoutCancel(ctx), time.Second) // awaited all the same
				return sibling
			})
			g.Go(fails(time.Second, errBoom))
			body = Sleep(ctx, time.Hour)
			return body
		})
		if err != errBoom || !errors.Is(sibling, errBoom) || !errors.Is(body, errBoom) || Facade(l).Time() != 2*time.Second {
			t.Errorf("%v, sibling %v, body %v, at %v", err, sibling, body, Facade(l).Time())
		}
		return Yield(ctx)
	})
}

func TestGroupSucceeds(t *testing.T) {
	run(t, func(ctx context.Context) error {
		n := 0
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for i := range 5 {
				g.Go(func(ctx context.Context) error {
					g.Go(func(ctx context.Context) error { // tasks may add tasks
						n++
						return Sleep(ctx, time.Duration(i))
					})
					n++
					return nil
				})
			}
			return nil
		})
		if n != 10 {
			t.Errorf("%d ran", n)
		}
		return errors.Join(err, Group(ctx, func(context.Context, *TaskGroup) error { return nil }))
	})
}

// asyncio cases 38 and 40: in completion order, the body's error last.
func TestGroupErrors(t *testing.T) {
	e := func(i int) error { return fmt.Errorf("e%d", i) }
	stubborn := func(d time.Duration, err error) func(ctx context.Context) error {
		return func(ctx context.Context) error { return fails(d, err)(context.WithoutCancel(ctx)) }
	}
	run(t, func(ctx context.Context) error {
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(stubborn(3, e(1)))
			g.Go(stubborn(1, e(2)))
			g.Go(stubborn(2, e(3)))
			g.Go(fails(time.Hour, e(4)))
			Sleep(ctx, time.Hour)
			return e(5)
		})
		if got := fmt.Sprintf("%q", err.Error()); got != `"e2\ne3\ne1\ne5"` {
			t.Errorf("got %s", got)
		}
		err = Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(fails(time.Hour, e(1)))
			return errBoom
		})
		if err != errBoom {
			t.Errorf("of the body alone: %v", err)
		}
		// A task that is cancelled by itself is no failure.
		err = Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			one := g.Go(fails(time.Hour, e(1)))
			g.Go(fails(time.Second, nil))
			Yield(ctx)
			one.Cancel(errOther)
			return nil
		})
		if err != nil {
			t.Errorf("with one cancelled: %v", err)
		}
		return nil
	})
}

// asyncio case 41.
func TestGroupCancelledFromOutside(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, swallow := range []bool{false, true} {
			task := Go(ctx, func(ctx context.Context) error {
				return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					g.Go(fails(time.Hour, nil))
					if err := Sleep(ctx, time.Hour); !swallow {
						return err
					}
					return nil
				})
			})
			yields(ctx, 2)
			task.Cancel(errBoom)
			err := task.Wait(ctx)
			var c *CancelError
			if !errors.As(err, &c) || err.Error() != "context canceled: boom" {
				t.Errorf("swallow=%v: %v", swallow, err)
			}
		}
		return nil
	})
}

// asyncio case 43.
func TestNestedGroupsKeepTheCancellation(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var inner, after error
		task := Go(ctx, func(ctx context.Context) error {
			return Group(ctx, func(outer context.Context, g *TaskGroup) error {
				inner = Group(outer, func(ctx context.Context, g *TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						Sleep(ctx, time.Hour)
						return errOther // fails because it is cancelled
					})
					return nil
				})
				after = Yield(outer)
				return nil
			})
		})
		yields(ctx, 3)
		task.Cancel(errBoom)
		err := task.Wait(ctx)
		if inner != errOther || !errors.Is(after, errBoom) || err != nil {
			t.Errorf("inner %v, after %v, all %v", inner, after, err)
		}
		return nil
	})
}

func TestGroupThatHasEnded(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var kept *TaskGroup
		Group(ctx, func(ctx context.Context, g *TaskGroup) error { kept = g; return nil })
		err := kept.Go(func(context.Context) error { t.Error("f was called"); return nil }).Wait(ctx)
		if err != ErrGroupClosed {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestGroupTaskAddedWhileCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var late error
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				Sleep(ctx, time.Hour)
				g.Go(func(ctx context.Context) error { late = Yield(ctx); return late })
				return nil
			})
			Yield(ctx)
			return errBoom
		})
		if err != errBoom || !errors.Is(late, errBoom) {
			t.Errorf("%v, late %v", err, late)
		}
		return nil
	})
}

func TestGroupUnderAForeignCtx(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		derived, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		err := Group(derived, func(ctx context.Context, g *TaskGroup) error {
			g.Go(fails(time.Hour, errBoom))
			return nil
		})
		if err != context.DeadlineExceeded {
			t.Errorf("got %v", err)
		}
		return Yield(ctx)
	})
}

// A task that is added when the last one has ended, and Group not yet resumed.
func TestGroupTaskAddedAtTheLastMoment(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for n := range 4 {
			err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				var add func(left int) func(ctx context.Context) error
				add = func(left int) func(ctx context.Context) error {
					return func(ctx context.Context) error {
						if left == 0 {
							return fails(time.Second, errBoom)(ctx)
						}
						// Runs after this task's end, which wakes Group, and before Group.
						Go(ctx, func(context.Context) error { g.Go(add(left - 1)); return nil })
						return nil
					}
				}
				g.Go(add(n))
				return nil
			})
			if err != errBoom {
				t.Errorf("%d added: %v", n, err)
			}
		}
		return nil
	})
}
