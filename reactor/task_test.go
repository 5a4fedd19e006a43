package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestATaskStartsOnTheNextTurn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		a := Go(ctx, func(context.Context) error { tr.add("a"); return nil })
		b := Go(ctx, func(context.Context) error { tr.add("b"); return nil })
		tr.add("main")
		err := errors.Join(b.Wait(ctx), a.Wait(ctx))
		tr.want(t, "main a b")
		return err
	})
}

func TestResults(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Async(ctx, func(ctx context.Context) (int, error) { Yield(ctx); return 7, errBoom })
		if v, err := task.Result(); v != 0 || err != ErrNotDone {
			t.Errorf("too early: %v %v", v, err)
		}
		for range 2 { // any number of times
			if v, err := task.Await(ctx); v != 7 || err != errBoom {
				t.Errorf("Await: %v %v", v, err)
			}
			if err := task.Wait(ctx); err != errBoom {
				t.Errorf("Wait: %v", err)
			}
			if v, err := task.Result(); v != 7 || err != errBoom {
				t.Errorf("Result: %v %v", v, err)
			}
		}
		return nil
	})
}

// asyncio case 11.
func TestAwaitingWhatIsDoneDoesNotSuspend(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var f Future[int]
		f.SetResult(7)
		task := Async(ctx, func(context.Context) (int, error) { return 8, nil })
		Yield(ctx)
		Yield(ctx)
		turned := false
		Facade(l).CallSoon(func() { turned = true })
		for range 300 {
			if v, _ := f.Await(ctx); v != 7 {
				t.Error("future:", v)
			}
			if v, _ := task.Await(ctx); v != 8 {
				t.Error("task:", v)
			}
		}
		if turned {
			t.Error("suspended")
		}
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := task.Wait(done); err != context.Canceled {
			t.Errorf("under a done ctx: %v", err)
		}
		if v, err := task.Result(); v != 8 || err != nil {
			t.Errorf("without a ctx: %d, %v", v, err)
		}
		return Yield(ctx)
	})
}

// asyncio cases 13 and 89: waiting tasks and callbacks form one queue.
func TestWaitersAndCallbacksShareOneFIFO(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var tr trace
		var gate Future[int]
		task := Go(ctx, waitForever(&gate))
		wait := func(name string) {
			Go(ctx, func(ctx context.Context) error {
				err := task.Wait(ctx)
				tr.add("%s", name)
				return err
			})
			yields(ctx, 2)
		}
		wait("w1")
		task.OnDone(func() { tr.add("c1") })
		wait("w2")
		task.OnDone(func() { tr.add("c2") })
		gone := task.OnDone(func() { tr.add("never") })
		if !gone.Cancel() || gone.Cancel() {
			t.Error("Cancel is true exactly once")
		}
		Facade(l).CallSoon(func() {
			tr.add("soon")
			gate.SetResult(0)
		})
		yields(ctx, 2)
		tr.want(t, "soon") // never synchronous
		Facade(l).CallSoon(func() { tr.add("after") })
		task.OnDone(func() { tr.add("late") })
		yields(ctx, 2)
		tr.want(t, "soon w1 c1 w2 c2 after late")
		return nil
	})
}

func TestAnErrorIsNotClaimedByACancelledOnDone(t *testing.T) {
	j := new(journal)
	setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		Go(ctx, func(context.Context) error { return errBoom }).OnDone(func() {}).Cancel()
		return Yield(ctx)
	})
	if j.count("boom") != 1 {
		t.Errorf("logged %q", j.all())
	}
}

func TestAnErrorIsClaimedByOnDone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		Go(ctx, func(context.Context) error { return errBoom }).OnDone(func() {})
		return Yield(ctx)
	})
}

func TestManyWaitersAndACancelledOne(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		var gate Future[int]
		task := Go(ctx, waitForever(&gate))
		var ws []*Task[struct{}]
		for i := range 4 {
			ws = append(ws, Go(ctx, func(ctx context.Context) error {
				err := task.Wait(ctx)
				tr.add("%d:%v", i, err)
				return nil
			}))
		}
		yields(ctx, 2)
		ws[1].Cancel(nil)
		gate.SetResult(1)
		checkNow(t, core.Nearest(ctx).Loop())
		yields(ctx, 3)
		tr.want(t, "1:context canceled 0:<nil> 2:<nil> 3:<nil>")
		return nil
	})
}

func TestWaitThatIsCancelledLeavesTheTaskAlone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Async(ctx, func(ctx context.Context) (int, error) { return 7, Sleep(ctx, time.Minute) })
		err := Timeout(ctx, time.Second, func(ctx context.Context) error {
			v, err := task.Await(ctx)
			if v != 0 {
				t.Error("a value came with the error")
			}
			return err
		})
		if !timedOut(err) {
			t.Error(err)
		}
		v, err := task.Await(ctx)
		if v != 7 || LoopOf(ctx).Time() != time.Minute {
			t.Errorf("%d at %v", v, LoopOf(ctx).Time())
		}
		return err
	})
}

func TestATaskCantWaitForItself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *Task[int]
		task = Async(ctx, func(ctx context.Context) (int, error) { return task.Await(ctx) })
		if _, err := task.Await(ctx); err != ErrSelf {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestATaskOfAnotherLoop(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		alien := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		_, err := ToThread(ctx, func(context.Context) (int, error) {
			return 0, Run(context.Background(), func(ctx context.Context) error {
				if err := alien.Wait(ctx); err == nil || !strings.Contains(err.Error(), "another loop") {
					t.Errorf("Wait: %v", err)
				}
				for name, f := range map[string]func(){
					"Cancel": func() { alien.Cancel(nil) },
					"Result": func() { alien.Result() },
					"OnDone": func() { alien.OnDone(func() {}) },
					"Sleep":  func() { Sleep(alien.record().Scope(), 1) },
					"Go":     func() { Go(alien.record().Scope(), func(context.Context) error { return nil }) },
				} {
					if text := panics(f); !strings.Contains(text, "not the running task") {
						t.Errorf("%s: %q", name, text)
					}
				}
				return nil
			})
		})
		return err
	})
}

func TestNames(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(context.Context) error { return nil })
		if got := task.String(); got != "task 2 (reactor.TestNames.func1.1)" {
			t.Errorf("got %q", got)
		}
		task.Wait(ctx)
		if got := task.String(); got != "task 2" {
			t.Errorf("ended: %q", got)
		}
		return nil
	})
}

func TestNilFunctions(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		task := Go(ctx, func(context.Context) error { return nil })
		for name, f := range map[string]func(){
			"Go":        func() { Go(ctx, nil) },
			"Async":     func() { Async[int](ctx, nil) },
			"OnDone":    func() { task.OnDone(nil) },
			"Timeout":   func() { Timeout(ctx, 1, nil) },
			"Group":     func() { Group(ctx, nil) },
			"Gather":    func() { Gather[int](ctx, nil) },
			"ToThread":  func() { ToThread[int](ctx, nil) },
			"Submit":    func() { Submit[int](LoopOf(ctx), nil) },
			"CallSoon":  func() { Facade(l).CallSoon(nil) },
			"CallLater": func() { Facade(l).CallLater(1, nil) },
			"CallAt":    func() { Facade(l).CallAt(1, nil) },
			"TaskGroup.Go": func() {
				Group(ctx, func(ctx context.Context, g *TaskGroup) error { g.Go(nil); return nil })
			},
		} {
			if text := panics(f); !strings.Contains(text, name) || !strings.Contains(text, "nil function") {
				t.Errorf("%s: %q", name, text)
			}
		}
		if err := Facade(l).Post(nil); err == nil {
			t.Error("Post took a nil function")
		}
		checkNow(t, l)
		return nil
	})
}

func TestCancelIsTrueOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
		Yield(ctx)
		if !task.Cancel(errBoom) || task.Cancel(errOther) {
			t.Error("Cancel is true exactly once")
		}
		if err := task.Wait(ctx); !errors.Is(err, errBoom) || errors.Is(err, errOther) {
			t.Errorf("got %v", err)
		}
		if task.Cancel(nil) {
			t.Error("true for a task that is over")
		}
		return nil
	})
}

// asyncio case 20.
func TestATaskCancelsItself(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var task *Task[struct{}]
		task = Go(ctx, func(ctx context.Context) error {
			task.Cancel(errBoom)
			return Yield(ctx)
		})
		if err := task.Wait(ctx); !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

// asyncio case 21: cancelling a waiting task does not cancel the task that it
// waits for, which is not its child.
func TestCancellationDoesNotReachTheAwaitedTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Second) })
		outer := Go(ctx, inner.Wait)
		yields(ctx, 2)
		outer.Cancel(nil)
		if err := outer.Wait(ctx); err != context.Canceled {
			t.Errorf("outer: %v", err)
		}
		return inner.Wait(ctx)
	})
}
