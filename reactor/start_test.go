package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// serve starts, if told to, after a second, and then goes on for an hour.
func serve(tr *trace, before, after error) func(ctx context.Context, started func(int)) error {
	return func(ctx context.Context, started func(int)) error {
		if err := Sleep(ctx, time.Second); err != nil {
			tr.add("stopping")
			yields(context.WithoutCancel(ctx), 3)
			tr.add("stopped")
			return err
		}
		if before != nil {
			return before
		}
		started(7)
		started(8) // has no effect
		tr.add("started")
		if err := Sleep(ctx, time.Hour); err != nil {
			tr.add("cancelled")
			return err
		}
		return after
	}
}

// Start returns the value, and the task goes on.
func TestStart(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		value, err := Start(ctx, nil, serve(&tr, nil, nil))
		tr.add("%d %v %v", value, err, Facade(l).Time())
		return Sleep(ctx, time.Minute)
	})
	tr.want(t, "started 7 <nil> 1s cancelled")
}

func TestStartFailsBefore(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		if value, err := Start(ctx, nil, serve(&tr, errBoom, nil)); value != 0 || err != errBoom {
			t.Errorf("got %d, %v", value, err)
		}
		if _, err := Start(ctx, nil, func(context.Context, func(int)) error { return nil }); err != ErrNotStarted {
			t.Errorf("never started: %v", err)
		}
		var p *PanicError
		if _, err := Start(ctx, nil, func(context.Context, func(int)) error { panic("early") }); !errors.As(err, &p) {
			t.Errorf("panicked: %v", err)
		}
		wantPanic(t, "nil function", func() { Start[int](ctx, nil, nil) })
		return nil
	})
}

// After the start, the task's failure does not affect Start.
func TestStartFailsAfter(t *testing.T) {
	var told reports
	err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		var tr trace
		if _, err := Start(ctx, nil, serve(&tr, nil, errBoom)); err != nil {
			return err
		}
		return Sleep(ctx, 2*time.Hour)
	})
	if err != nil || len(told) != 1 || told[0].Err != errBoom || !strings.Contains(told[0].Task, "serve") {
		t.Errorf("Run returned %v, reported %v", err, told)
	}
}

// A Start that is cancelled cancels its task, and waits for its end.
func TestStartCancelled(t *testing.T) {
	for _, late := range []bool{false, true} {
		var tr trace
		run(t, func(ctx context.Context) error {
			starter := GoNow(ctx, func(ctx context.Context) error {
				_, err := Start(ctx, nil, serve(&tr, nil, nil))
				tr.add("returned")
				return err
			})
			if late {
				Sleep(ctx, time.Second/2)
			}
			starter.Cancel(errBoom)
			if err := starter.Wait(ctx); !errors.Is(err, errBoom) {
				t.Error(err)
			}
			return nil
		})
		tr.want(t, "stopping stopped returned")
	}
	run(t, func(ctx context.Context) error {
		if _, err := Start(doneCtx(ctx), nil, func(context.Context, func(int)) error { t.Error("called"); return nil }); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}

// A start and a cancellation in one turn: the start came first, so it counts.
func TestStartedAndCancelledInOneTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var up Event
		starter := AsyncNow(ctx, func(ctx context.Context) (int, error) {
			return Start(context.WithoutCancel(ctx), nil, func(ctx context.Context, started func(int)) error {
				up.Wait(ctx)
				started(7)
				return Sleep(ctx, time.Hour)
			})
		})
		Yield(ctx)
		up.Set()
		Yield(ctx)
		starter.Cancel(nil)
		if value, err := starter.Await(ctx); value != 7 || err != nil {
			t.Errorf("got %d, %v", value, err)
		}
		return nil
	})
}

// In a group the task belongs to it, but only once it has started.
func TestStartInAGroup(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			if _, err := Start(ctx, g, serve(&tr, errBoom, nil)); err != errBoom {
				t.Error(err)
			}
			if ctx.Err() != nil {
				t.Error("a failure before the start has reached the group")
			}
			value, err := Start(ctx, g, serve(&tr, nil, errBoom))
			tr.add("%d", value)
			g.Go(func(ctx context.Context) error {
				err := Sleep(ctx, 2*time.Hour)
				tr.add("sibling ends")
				return err
			})
			return err
		})
		if err != errBoom {
			t.Errorf("the group returned %v", err)
		}
		return nil
	})
	tr.want(t, "started 7 sibling ends")
}

func TestStartInAGroupThatIsOver(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var g *TaskGroup
		Group(ctx, func(ctx context.Context, its *TaskGroup) error { g = its; return nil })
		if _, err := Start(ctx, g, func(context.Context, func(int)) error { t.Error("called"); return nil }); err != ErrGroupClosed {
			t.Error(err)
		}
		return nil
	})
}

// A Start that times out cancels its task, and not the group's others.
func TestStartInAGroupTimesOut(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			err := Timeout(ctx, time.Second/2, func(ctx context.Context) error {
				_, err := Start(ctx, g, serve(&tr, nil, nil))
				return err
			})
			tr.add("%v %v", err, ctx.Err())
			return nil
		})
	})
	tr.want(t, "stopping stopped context deadline exceeded <nil>")
}

// The group is cancelled while a task of it starts: Start waits for that one,
// and the group for both.
func TestStartInAGroupThatIsCancelled(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				_, err := Start(ctx, g, serve(&tr, nil, nil))
				tr.add("returned")
				return err
			})
			Yield(ctx)
			return errBoom
		})
		if err != errBoom {
			t.Error(err)
		}
		return nil
	})
	tr.want(t, "stopping stopped returned")
}
