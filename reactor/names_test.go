package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// The description of a wait for tasks names some of them, and the number of
// others.
func TestWaitsForSeveralNamesThem(t *testing.T) {
	never := func(ctx context.Context) (int, error) { return 0, new(Event).Wait(ctx) }
	for name, c := range map[string]struct {
		wait func(ctx context.Context, tasks []AnyTask) error
		want string
	}{
		"Wait for all": {func(ctx context.Context, tasks []AnyTask) error {
			_, _, err := Wait(ctx, AllDone, tasks...)
			return err
		}, "task 1 (main) waits for task 2 (a), task 3 (b), task 4 (c) and 2 more"},
		"Wait for the first": {func(ctx context.Context, tasks []AnyTask) error {
			_, _, err := Wait(ctx, FirstDone, tasks[:2]...)
			return err
		}, "task 1 (main) waits for one of task 2 (a), task 3 (b)\n"},
		"Wait for a failure": {func(ctx context.Context, tasks []AnyTask) error {
			_, _, err := Wait(ctx, FirstFailed, tasks[:2]...)
			return err
		}, "task 1 (main) waits for all, or a failure, of task 2 (a), task 3 (b)\n"},
		"Wait for one": {func(ctx context.Context, tasks []AnyTask) error {
			_, _, err := Wait(ctx, FirstDone, tasks[0])
			return err
		}, "task 1 (main) waits for task 2 (a)\n"},
		"AsCompleted": {func(ctx context.Context, tasks []AnyTask) (err error) {
			for _, err = range AsCompleted(ctx, tasks[0].(*Task[int]), tasks[1].(*Task[int])) {
			}
			return err
		}, "task 2 (a), task 3 (b)\n"},
		"Group": {func(ctx context.Context, tasks []AnyTask) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				for _, name := range []string{"x", "y"} {
					g.Go(func(ctx context.Context) error { return new(Event).Wait(ctx) }).SetName(name)
				}
				return nil
			})
		}, "task 1 (main) waits for the tasks of its group: task 7 (x), task 8 (y)\n"},
		"Gather": {func(ctx context.Context, tasks []AnyTask) error {
			_, err := Gather(ctx, never, never, never, never)
			return err
		}, "task 1 (main) waits for the tasks that it gathers: task 7 (reactor.TestWaitsForSeveralNamesThem.func1), "},
		"GatherAll": {func(ctx context.Context, tasks []AnyTask) error {
			_, err := GatherAll(ctx, never)
			return err
		}, "task 1 (main) waits for the tasks that it gathers: task 7 (reactor.TestWaits"},
		"Race": {func(ctx context.Context, tasks []AnyTask) error {
			_, err := Race(ctx, never, never)
			return err
		}, "task 1 (main) waits for the functions of its Race: task 7 (reactor.TestWaits"},
		"Start": {func(ctx context.Context, tasks []AnyTask) error {
			_, err := Start(ctx, nil, startsNever)
			return err
		}, "task 1 (main) waits for the start of task 7 (reactor.startsNever)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			err := setup{log: new(journal)}.run(t, func(ctx context.Context) error {
				Current(ctx).SetName("main")
				var tasks []AnyTask
				for _, name := range []string{"a", "b", "c", "d", "e"} {
					task := Async(ctx, never)
					task.SetName(name)
					tasks = append(tasks, task)
				}
				return c.wait(ctx, tasks)
			})
			if dead, ok := errors.AsType[*DeadlockError](err); !ok || !strings.Contains(dead.Error(), c.want) {
				t.Errorf("%v\nwant in it: %s", err, c.want)
			}
		})
	}
}

func startsNever(ctx context.Context, _ func(int)) error { return new(Event).Wait(ctx) }

// The loop's own tasks, and what is made of a method value, have names for their user.
func TestNamesOfInnerTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var e Event
		if got := Go(ctx, e.Wait).String(); got != "task 2 (reactor.(*Event).Wait)" {
			t.Errorf("a method value: %q", got)
		}
		e.Set()
		_, err := Start(ctx, nil, func(ctx context.Context, started func(int)) error {
			if got := Current(ctx).String(); got != "task 3 (reactor.TestNamesOfInnerTasks.func1.1)" {
				t.Errorf("Start's: %q", got)
			}
			started(1)
			return nil
		})
		return err
	})
}

// A task that delays the loop by ignoring a ctx that is done is reported as
// such, without the advice to use a thread.
func TestIgnoredCancellationIsNamed(t *testing.T) {
	var rs reports
	v := newWorld(t)
	spin := func(ctx context.Context, n int) {
		done := doneCtx(ctx)
		for range n {
			v.Time.Add(int64(time.Millisecond))
			Sleep(done, time.Second)
		}
	}
	setup{world: v, Options: Options{OnError: rs.add, SlowStep: 50 * time.Millisecond}}.run(t, func(ctx context.Context) error {
		spin(ctx, 99)
		Yield(ctx)
		v.Time.Add(int64(time.Second)) // computes
		spin(ctx, 2)
		return Yield(ctx)
	})
	if len(rs) != 2 {
		t.Fatalf("%v", rs)
	}
	for i, ignores := range []bool{true, false} {
		text := rs[i].Err.Error()
		if !errors.Is(rs[i].Err, ErrSlow) || strings.Contains(text, "return the error") != ignores || strings.Contains(text, "ToThread") == ignores {
			t.Errorf("%d: %s", i, text)
		}
	}
	if !strings.Contains(rs[0].Err.Error(), "99 awaits") {
		t.Error(rs[0].Err)
	}
}

// A task that never ends because it ignores that its ctx is done is reported once,
// with its stack; one that awaits in between, or many tasks that ignore it a little,
// are not.
func TestEndlessIgnoredCancellationIsReported(t *testing.T) {
	var rs reports
	setup{world: newWorld(t), Options: Options{OnError: rs.add}}.run(t, func(ctx context.Context) error {
		done := doneCtx(ctx)
		for range 100_000 / 10 {
			Sleep(done, time.Second)
		}
		for range 20 {
			Sleep(ctx, 1)
			for range 100_000 / 15 {
				Sleep(done, time.Second)
			}
		}
		for range 20 {
			Go(ctx, func(context.Context) error {
				for range 100_000 / 15 {
					Sleep(done, time.Second)
				}
				return nil
			}).Wait(ctx)
		}
		if len(rs) != 0 {
			t.Errorf("too early: %v", rs[0])
		}
		Sleep(ctx, 1)
		for range 3 * 100_000 {
			Sleep(done, time.Second)
		}
		return nil
	})
	if len(rs) != 1 || !errors.Is(rs[0].Err, errBoom) || !strings.Contains(string(rs[0].Stack), "TestEndlessIgnored") {
		t.Errorf("%d reports: %.300v", len(rs), rs)
	}
}

// A loop is called what its options say, by those who inspect it, and so is its first
// task.
func TestNameOfALoop(t *testing.T) {
	err := Options{Name: "shard 3"}.Run(t.Context(), func(ctx context.Context) error {
		if got := LoopOf(ctx).Core().Main(); got != "shard 3" {
			t.Errorf("the loop is called %q", got)
		}
		if got := Current(ctx).String(); got != "task 1 (shard 3)" {
			t.Errorf("its first task is %q", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
