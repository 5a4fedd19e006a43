package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// sleeper makes a task of that name which sleeps and then returns err.
func sleeper(ctx context.Context, name string, d time.Duration, err error) *Task[string] {
	t := Async(ctx, func(ctx context.Context) (string, error) {
		if err := Sleep(ctx, d); err != nil {
			return "", err
		}
		return name, err
	})
	t.SetName(name)
	return t
}

func names(tasks []AnyTask) (all string) {
	for _, t := range tasks {
		_, name, _ := strings.Cut(t.String(), "(")
		all += strings.TrimSuffix(name, ")")
	}
	return all
}

// asyncio's case 27: Wait never fails for a task, and cancels none.
func TestWaitModes(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wait := func(tag, want string, mode WaitMode, tasks ...AnyTask) {
			t.Helper()
			done, pending, err := Wait(ctx, mode, tasks...)
			if got := fmt.Sprintf("%s|%s %v", names(done), names(pending), err); got != want {
				t.Errorf("%s: got %q, want %q", tag, got, want)
			}
		}
		a, b, c := sleeper(ctx, "a", 2, nil), sleeper(ctx, "b", 6, errBoom), sleeper(ctx, "c", 12, nil)
		wait("first done", "a|bc <nil>", FirstDone, a, b, c)
		wait("at once", "a|bc <nil>", FirstDone, a, b, c)
		wait("first failed", "ab|c <nil>", FirstFailed, a, b, c)
		wait("failed already", "b|c <nil>", FirstFailed, c, b)
		wait("duplicates", "bab|cc <nil>", FirstDone, c, b, a, c, b)
		wait("all", "abc| <nil>", AllDone, a, b, c)
		wait("all over", "ccb| <nil>", AllDone, c, c, b)
		d := sleeper(ctx, "d", 1, nil)
		wait("duplicates that run", "dd| <nil>", AllDone, d, d)
		x, y := sleeper(ctx, "x", 99, nil), sleeper(ctx, "y", 3, nil)
		x.Cancel(errBoom)
		wait("a cancelled one has not failed", "xy| <nil>", FirstFailed, x, y)
		wait("none", "| reactor: Wait without tasks", AllDone)
		if err := b.Wait(ctx); err != errBoom {
			t.Errorf("b's own error is %v", err)
		}
		return nil
	})
}

// asyncio's case 28: a Wait that is cancelled leaves the tasks alone, and says
// which are over.
func TestWaitCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		a, b := sleeper(ctx, "a", 2, nil), sleeper(ctx, "b", 9, nil)
		err := Timeout(ctx, 5, func(ctx context.Context) error {
			done, pending, err := Wait[AnyTask](ctx, AllDone, b, a)
			if names(done) != "a" || names(pending) != "b" {
				t.Errorf("over: %s, not over: %s", names(done), names(pending))
			}
			return err
		})
		if !timedOut(err) {
			t.Error(err)
		}
		done, _, err := Wait[AnyTask](doneCtx(ctx), AllDone, a)
		if names(done) != "a" || !errors.Is(err, errBoom) {
			t.Errorf("under a done ctx: %s, %v", names(done), err)
		}
		if !b.record().Waiters().Empty() {
			t.Error("a hook is left")
		}
		name, err := b.Await(ctx)
		if name != "b" {
			t.Error("b was not left alone")
		}
		return err
	})
}

// Waiting for a task by Wait does not count as awaiting its error.
func TestWaitDoesNotAskForErrors(t *testing.T) {
	var told reports
	o := Options{OnError: told.add}
	if err := (setup{Options: o, world: newWorld(t)}).run(t, func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error {
			a := sleeper(ctx, "a", 1, errBoom)
			Wait(ctx, AllDone, a)
			for range AsCompleted(ctx, a, sleeper(ctx, "b", 2, nil)) {
			}
			return nil
		}).Wait(ctx)
	}); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Err != errBoom || !strings.Contains(told[0].Task, "a") {
		t.Errorf("told %v", told)
	}
}

func TestAsCompletedOrder(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		over := sleeper(ctx, "o", 1, nil)
		over.Wait(ctx)
		a, b, c := sleeper(ctx, "a", 6, nil), sleeper(ctx, "b", 2, errBoom), sleeper(ctx, "c", 4, nil)
		completed := AsCompleted(ctx, a, b, over, c, b)
		for range 2 { // a second time they are over already, and come in their order
			for task, err := range completed {
				name, failed := task.Result()
				tr.add("%s", name)
				if err != nil || (failed != nil) != (task == b) {
					t.Errorf("%s: %v, %v", name, err, failed)
				}
			}
		}
		return nil
	})
	tr.want(t, "o b b c a a b o c b")
}

// asyncio's case 32: what is slow goes on, and so does what a break leaves.
func TestAsCompletedLeavesTheRestRunning(t *testing.T) {
	run(t, func(ctx context.Context) error {
		slow, quick := sleeper(ctx, "slow", 99, nil), sleeper(ctx, "quick", 1, nil)
		var tr trace
		Timeout(ctx, 10, func(ctx context.Context) error {
			for task, err := range AsCompleted(ctx, slow, quick) {
				if err != nil {
					tr.add("%v, %v", task == nil, err)
				} else {
					tr.add("%v", task == quick)
				}
			}
			return nil
		})
		tr.want(t, "true true, context deadline exceeded")
		late := sleeper(ctx, "late", 2, nil)
		for task := range AsCompleted(ctx, slow, late) {
			if task != late {
				t.Error("not the one that ended first")
			}
			break
		}
		if !slow.record().Waiters().Empty() {
			t.Error("a hook is left")
		}
		for range AsCompleted[*Task[int]](ctx) {
			t.Error("something of nothing")
		}
		_, err := slow.Await(ctx)
		return err
	})
}

// A task of another loop must be refused: its end comes on another thread.
func TestWaitForATaskOfAnotherLoop(t *testing.T) {
	run(t, func(ctx context.Context) error {
		foreign := make(chan *Task[string])
		release := make(chan struct{})
		ended := make(chan error)
		go func() {
			ended <- Run(context.Background(), func(ctx context.Context) error {
				task := sleeper(ctx, "foreign", 0, nil)
				foreign <- task
				<-release
				return task.Wait(ctx)
			})
		}()
		task := <-foreign
		if _, _, err := Wait(ctx, AllDone, task); err == nil || !strings.Contains(err.Error(), "another loop") {
			t.Errorf("Wait returned %v", err)
		}
		for got, err := range AsCompleted(ctx, task) {
			if got != nil || err == nil || !strings.Contains(err.Error(), "another loop") {
				t.Errorf("AsCompleted yielded %v, %v", got, err)
			}
		}
		close(release)
		return <-ended
	})
}
