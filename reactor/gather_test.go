package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func after(d time.Duration, v int, err error) func(ctx context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		if e := Sleep(ctx, d); e != nil {
			return 0, e
		}
		return v, err
	}
}

// asyncio case 24.
func TestGatherOrderAndFirstError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		got, err := Gather(ctx, after(3, 1, nil), after(1, 2, nil), after(2, 3, nil))
		if err != nil || len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 3 || Facade(l).Time() != 3 {
			t.Errorf("%v, %v at %v", got, err, Facade(l).Time())
		}
		if got, err := Gather[int](ctx); len(got) != 0 || err != nil {
			t.Errorf("of nothing: %v, %v", got, err)
		}
		finished := false
		slow := func(ctx context.Context) (int, error) {
			defer func() { finished = true }()
			return after(time.Minute, 0, nil)(ctx)
		}
		got, err = Gather(ctx, slow, after(time.Second, 0, errBoom), after(2*time.Second, 0, nil))
		if got != nil || err != errBoom || finished || Facade(l).Time() != time.Second+3 {
			t.Errorf("%v, %v, finished %v at %v", got, err, finished, Facade(l).Time())
		}
		Sleep(ctx, time.Hour)
		if !finished {
			t.Error("the sibling was cancelled")
		}
		return nil
	})
}

func TestGatherLogsFurtherErrors(t *testing.T) {
	for name, second := range map[string]time.Duration{"later": time.Minute, "in the same turn": time.Second} {
		j := new(journal)
		setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
			_, err := Gather(ctx, after(time.Second, 0, errBoom), after(second, 0, errOther))
			if err != errBoom {
				t.Errorf("%s: %v", name, err)
			}
			return Sleep(ctx, time.Hour)
		})
		if j.count("another") != 1 || j.count("boom") != 0 {
			t.Errorf("%s: logged %q", name, j.all())
		}
	}
}

func TestGatherOfExistingTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		a, b := Async(ctx, after(2, 1, nil)), Async(ctx, after(1, 2, nil))
		got, err := Gather(ctx, a.Await, b.Await, a.Await) // asyncio case 26: one twice
		if err != nil || len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 1 {
			t.Errorf("%v, %v", got, err)
		}
		return nil
	})
}

func TestGatherIsCancelled(t *testing.T) {
	j := new(journal)
	setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		ended := 0
		slow := func(ctx context.Context) (int, error) {
			err := Sleep(ctx, time.Hour)
			Sleep(context.WithoutCancel(ctx), time.Second)
			ended++
			return 0, err
		}
		fails := func(ctx context.Context) (int, error) {
			slow(ctx)
			return 0, errOther
		}
		err := Timeout(ctx, time.Second, func(ctx context.Context) error {
			_, err := Gather(ctx, slow, slow, fails)
			return err
		})
		if !timedOut(err) || ended != 3 || Facade(l).Time() != 2*time.Second {
			t.Errorf("%v, %d ended, at %v", err, ended, Facade(l).Time())
		}
		return nil
	})
	if j.count("another") != 1 || len(j.lines) != 1 {
		t.Errorf("logged %q", j.all())
	}
}

// A failure that comes after the cancellation, and before Gather has resumed.
func TestGatherIsCancelledAndFailsInOneTurn(t *testing.T) {
	j := new(journal)
	setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var gate Future[int]
		task := Go(ctx, func(ctx context.Context) error {
			_, err := Gather(ctx, func(ctx context.Context) (int, error) {
				gate.Await(ctx)
				return 0, errOther
			})
			return err
		})
		yields(ctx, 3)
		Facade(l).CallSoon(func() {
			gate.SetResult(1)
			task.Cancel(errBoom)
		})
		if err := task.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if j.count("another") != 1 {
		t.Errorf("logged %q", j.all())
	}
}

func TestGatherWithANilFunctionStartsNone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ran := false
		if panics(func() {
			Gather(ctx, func(context.Context) (int, error) { ran = true; return 0, nil }, nil)
		}) == "" {
			t.Error("no panic")
		}
		yields(ctx, 2)
		if ran {
			t.Error("one was started")
		}
		return nil
	})
}

func TestGatherAll(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		start := Facade(l).Time()
		panics := func(context.Context) (int, error) { panic(errBoom) }
		got, err := GatherAll(ctx, after(3, 1, nil), after(1, 2, errBoom), panics, after(2, 4, nil))
		if err != nil || len(got) != 4 || Facade(l).Time() != start+3 {
			t.Fatalf("%v, %v at %v", got, err, Facade(l).Time())
		}
		if got[0] != (Outcome[int]{1, nil}) || got[1] != (Outcome[int]{2, errBoom}) || got[3] != (Outcome[int]{4, nil}) {
			t.Errorf("%v", got)
		}
		var p *PanicError
		if !errors.As(got[2].Err, &p) || !errors.Is(p, errBoom) {
			t.Errorf("of the one that panics: %v", got[2].Err)
		}
		if got, err := GatherAll[int](ctx); len(got) != 0 || err != nil {
			t.Errorf("of nothing: %v, %v", got, err)
		}
		return nil
	})
}

// TestGatherAllIsCancelled: it waits for the cleanup of all, and tells how they
// ended.
func TestGatherAllIsCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		cleaned := false
		cleans := func(ctx context.Context) (int, error) {
			err := Sleep(ctx, time.Hour)
			Sleep(context.WithoutCancel(ctx), time.Second)
			cleaned = true
			return 7, err
		}
		var got []Outcome[int]
		err := Timeout(ctx, time.Minute, func(ctx context.Context) (err error) {
			got, err = GatherAll(ctx, cleans, after(time.Second, 2, nil))
			return err
		})
		if !timedOut(err) || !cleaned || len(got) != 2 {
			t.Fatalf("%v, %v, cleaned %v", got, err, cleaned)
		}
		if got[0] != (Outcome[int]{7, context.DeadlineExceeded}) || got[1] != (Outcome[int]{2, nil}) {
			t.Errorf("%v", got)
		}
		return nil
	})
}
