package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// GoNow runs its function up to the first await, and the maker goes on then,
// before all others.
func TestGoNowStartsAtOnce(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Go(ctx, func(context.Context) error { tr.add("other"); return nil })
		tr.add("before")
		eager := GoNow(ctx, func(ctx context.Context) error {
			tr.add("eager")
			checkNow(t, l)
			Yield(ctx)
			tr.add("later")
			return nil
		})
		checkNow(t, l)
		tr.add("after")
		if eager.Finished() {
			t.Error("finished before it yielded")
		}
		return eager.Wait(ctx)
	})
	tr.want(t, "before eager after other later")
}

// A function that need not wait is over when GoNow returns, and costs no turn.
func TestGoNowOfWhatNeedNotWait(t *testing.T) {
	run(t, func(ctx context.Context) error {
		turned := false
		LoopOf(ctx).CallSoon(func() { turned = true })
		task := AsyncNow(ctx, func(context.Context) (int, error) { return 7, nil })
		if !task.Finished() {
			t.Error("not finished")
		}
		value, err := task.Await(ctx)
		if value != 7 || err != nil || turned {
			t.Errorf("got %d, %v, turned: %v", value, err, turned)
		}
		return nil
	})
}

// It does not postpone ready tasks to the next turn.
func TestGoNowCostsNoTurn(t *testing.T) {
	v := newWorld(t)
	err := setup{world: v}.run(t, func(ctx context.Context) error {
		var f core.FD // with an fd registered, each turn asks the poller
		if err := f.OpenKind(ctx, 77, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
			return err
		}
		defer f.Close()
		other := int64(0)
		Go(ctx, func(context.Context) error {
			Go(ctx, func(context.Context) error { return nil })
			other = v.Waits.Load()
			return nil
		})
		GoNow(ctx, Yield)
		before := v.Waits.Load()
		Yield(ctx)
		if before != 0 || other != 1 || v.Waits.Load() != 1 {
			t.Errorf("turns: %d before, %d when the other ran, %d after", before, other, v.Waits.Load())
		}
		Go(ctx, func(context.Context) error { other = v.Waits.Load(); return nil })
		Go(ctx, func(ctx context.Context) error { GoNow(ctx, Yield); return nil })
		Go(ctx, func(context.Context) error { other = v.Waits.Load(); return nil })
		Yield(ctx)
		if other != 2 {
			t.Errorf("the last in the queue ran after %d turns, want 2", other)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestGoNowNests(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		var nest func(ctx context.Context, depth int) error
		nest = func(ctx context.Context, depth int) error {
			tr.add("%d", depth)
			if depth == 3 {
				return Yield(ctx)
			}
			task := GoNow(ctx, func(ctx context.Context) error { return nest(ctx, depth+1) })
			tr.add("-%d", depth)
			checkNow(t, core.Nearest(ctx).Loop())
			return task.Wait(ctx)
		}
		return nest(ctx, 0)
	})
	tr.want(t, "0 1 2 3 -2 -1 -0")
}

// A callback may start tasks at once too; it goes on when they suspend.
func TestGoNowInACallback(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		var done Event
		LoopOf(ctx).CallSoon(func() {
			GoNow(ctx, func(ctx context.Context) error {
				tr.add("task")
				Sleep(ctx, time.Second)
				tr.add("slept")
				done.Set()
				return nil
			})
			tr.add("callback")
			checkNow(t, core.Nearest(ctx).Loop())
		})
		return done.Wait(ctx)
	})
	tr.want(t, "task callback slept")
}

func TestGoNowUnderADoneCtx(t *testing.T) {
	run(t, func(ctx context.Context) error {
		called := false
		task := GoNow(doneCtx(ctx), func(ctx context.Context) error {
			called = true
			return Yield(ctx)
		})
		if err := task.Wait(ctx); !called || !errors.Is(err, errBoom) {
			t.Errorf("called: %v, %v", called, err)
		}
		return nil
	})
}

func TestGoNowMisuse(t *testing.T) {
	wantPanic(t, "nil function", func() { GoNow(context.Background(), nil) })
	wantPanic(t, "nil function", func() { AsyncNow[int](context.Background(), nil) })
	wantPanic(t, "outside a task", func() { GoNow(context.Background(), func(context.Context) error { return nil }) })
	run(t, func(ctx context.Context) error {
		if elsewhere(func() { GoNow(ctx, func(context.Context) error { return nil }) }) == "" {
			t.Error("no panic on another goroutine")
		}
		return nil
	})
}

func TestGoNowAllocates(t *testing.T) {
	f := func(context.Context) error { return nil }
	allocsPerRun(t, 1, func(ctx context.Context) { GoNow(ctx, f) })
}
