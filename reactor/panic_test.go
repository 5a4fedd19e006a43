package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

func explode(context.Context) error { panic(errBoom) }

func wantPanicError(t *testing.T, err error) {
	t.Helper()
	var p *PanicError
	switch {
	case !errors.As(err, &p):
		t.Errorf("not a PanicError: %v", err)
	case p.Value != errBoom || !errors.Is(err, errBoom):
		t.Errorf("value %v", p.Value)
	case !strings.Contains(string(p.Stack), "explode") || !strings.Contains(p.Error(), "explode"):
		t.Errorf("a stack without the culprit: %s", p.Stack)
	case !strings.Contains(p.Task, "reactor.explode") || !strings.HasPrefix(p.Error(), p.Task+" panicked: boom"):
		t.Errorf("task %q, error %q", p.Task, p.Error())
	}
}

func TestPanicReachesWhoAwaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wantPanicError(t, Go(ctx, explode).Wait(ctx))
		err := Group(ctx, func(ctx context.Context, g *TaskGroup) error { g.Go(explode); return nil })
		wantPanicError(t, err)
		_, err = Gather(ctx, func(ctx context.Context) (int, error) { return 0, Go(ctx, explode).Wait(ctx) })
		wantPanicError(t, err)
		if err := Go(ctx, func(context.Context) error { panic("words") }).Wait(ctx); errors.Unwrap(err) != nil {
			t.Errorf("words are no error: %v", err)
		}
		return nil
	})
}

func TestPanicAwaitedATurnLater(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, explode)
		Yield(ctx)
		wantPanicError(t, task.Wait(ctx))
		yields(ctx, 2)
		return Yield(ctx) // main was not cancelled for it
	})
}

func TestPanicThatNobodyAwaitsEndsRun(t *testing.T) {
	var got error
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			Go(ctx, explode)
			return nil
		})
		got = Sleep(ctx, time.Hour)
		return got
	})
	wantPanicError(t, err)
	wantPanicError(t, got)
	if !errors.Is(got, context.Canceled) {
		t.Errorf("main got %v", got)
	}
}

func TestPanicOfMain(t *testing.T) {
	wantPanicError(t, setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		Yield(ctx)
		return Go(ctx, explode).Wait(ctx)
	}))
	defer testkit.LeakCheck(t)()
	wantPanicError(t, Run(context.Background(), explode))
}

func TestPanicOfMainAndMore(t *testing.T) {
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Go(ctx, explode)
		Go(ctx, explode)
		yields(ctx, 3)
		return errOther
	})
	wantPanicError(t, err)
	if !errors.Is(err, errOther) || strings.Count(err.Error(), "panicked") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestPanicWhileTheLoopEnds(t *testing.T) {
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			Sleep(ctx, time.Hour)
			return explode(ctx)
		})
		return Yield(ctx)
	})
	if !errors.Is(err, errBoom) {
		t.Errorf("got %v", err)
	}
}

// asyncio case 07.
func TestPanicOfACallbackEndsNothingElse(t *testing.T) {
	j := new(journal)
	var tr trace
	err := setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Facade(l).CallSoon(func() { tr.add("a") })
		Facade(l).CallSoon(func() { panic("in a callback") })
		Facade(l).CallSoon(func() { tr.add("b") })
		return Yield(ctx)
	})
	tr.want(t, "a b")
	if err != nil || j.count("callback panicked") != 1 || j.count("in a callback") != 1 || j.count("panic_test.go") != 1 {
		t.Errorf("%v, %q", err, j.all())
	}
}

func TestPanicInAGroupsBodyPasses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		ended := false
		text := panics(func() {
			Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error {
					err := Sleep(ctx, time.Hour)
					ended = true
					return err
				})
				Yield(ctx)
				panic("body")
			})
		})
		if text != "body" || !ended {
			t.Errorf("%q, ended %v", text, ended)
		}
		if s := core.Here(ctx); s != context.Context(core.Nearest(ctx)) {
			t.Error("the task is still in the group's scope")
		}
		return Yield(ctx)
	})
}

func TestPanicInATimeoutsBodyPasses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if text := panics(func() { Timeout(ctx, time.Hour, explode) }); text != "boom" {
			t.Errorf("%q", text)
		}
		if s := core.Here(ctx); s != context.Context(core.Nearest(ctx)) {
			t.Error("the task is still in the timeout's scope")
		}
		return Yield(ctx)
	})
}
