package reactor

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestCurrent(t *testing.T) {
	run(t, func(ctx context.Context) error {
		if task := Current(ctx); task == nil || !strings.HasPrefix(task.String(), "task 1 ") {
			t.Errorf("main is %v", task)
		}
		made := GoNow(ctx, func(ctx context.Context) error {
			Current(ctx).SetName("made")
			return nil
		})
		if made.String() != "task 2 (made)" {
			t.Errorf("Current in it was not %v", made)
		}
		LoopOf(ctx).CallSoon(func() {
			if task := Current(ctx); task != nil {
				t.Errorf("in a callback: %v", task)
			}
		})
		Yield(ctx)
		elsewhere(func() {
			if Current(ctx) != nil || AllTasks(ctx) != nil || Dump(ctx) != "" {
				t.Error("another goroutine is told of the tasks")
			}
		})
		return nil
	})
	if ctx := context.Background(); Current(ctx) != nil || AllTasks(ctx) != nil || Dump(ctx) != "" {
		t.Error("something outside of any loop")
	}
}

func TestAllTasksAndDump(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		named := func(task AnyTask, name string) { task.SetName(name) }
		named(Current(ctx), "main")
		named(GoNow(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }), "sleeper")
		named(GoNow(ctx, Yield), "yielder")
		var m Mutex
		m.Lock(ctx)
		named(GoNow(ctx, m.Lock), "locker")
		named(AsyncNow(ctx, new(Queue[int]).Get), "getter")
		named(GoNow(ctx, func(context.Context) error { return nil }), "over")
		named(Go(ctx, Yield), "starter")
		const want = `task 1 (main) runs
task 2 (sleeper) waits for a sleep to end
task 3 (yielder) is ready
task 4 (locker) waits for a mutex held by task 1 (main)
task 5 (getter) waits for an item in a queue
task 7 (starter) is to start
`
		if got := Dump(ctx); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
		if all := AllTasks(ctx); names(all) != "mainsleeperyielderlockergetterstarter" || all[0] != Current(ctx) {
			t.Errorf("the tasks are %v", all)
		}
		Facade(l).CallSoon(func() {
			if got := Dump(ctx); !strings.Contains(got, "(main) is ready\n") {
				t.Errorf("in a callback:\n%s", got)
			}
		})
		Yield(ctx)
		for _, task := range AllTasks(ctx) { // they can be cancelled, and awaited
			if task != Current(ctx) {
				task.Cancel(nil)
				task.Wait(ctx)
			}
		}
		if all := AllTasks(ctx); len(all) != 1 {
			t.Errorf("left are %v", all)
		}
		return nil
	})
}

// The tasks are in the order of their creation, on any workers.
func TestAllTasksOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var kept []AnyTask
		for i := range 50 {
			task := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			if i%3 == 0 {
				task.Cancel(nil)
			} else {
				kept = append(kept, task)
			}
			if i%7 == 0 {
				Yield(ctx)
				Yield(ctx)
			}
		}
		yields(ctx, 2)
		all := AllTasks(ctx)[1:]
		if len(all) != len(kept) {
			t.Fatalf("%d tasks, want %d", len(all), len(kept))
		}
		for i, task := range all {
			if fmt.Sprint(task) != fmt.Sprint(kept[i]) {
				t.Errorf("%d is %v, want %v", i, task, kept[i])
			}
		}
		return nil
	})
}
