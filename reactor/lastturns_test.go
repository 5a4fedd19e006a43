package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// Callbacks that schedule others without end are dropped, with a report, once
// all tasks are over, not after the grace time.
func TestEndlessCallbacksDoNotHoldTheEnd(t *testing.T) {
	var told reports
	v := newWorld(t)
	err := setup{world: v, Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var again func()
		again = func() { Facade(l).CallSoon(again) }
		again()
		Facade(l).CallSoon(func() {}).Cancel()
		Go(ctx, func(ctx context.Context) error { // its cleanup gets the time it needs
			Sleep(ctx, time.Hour)
			return Sleep(context.WithoutCancel(ctx), 1)
		})
		v.Drift = 1
		return Yield(ctx)
	})
	if err != nil || v.Now() > time.Millisecond {
		t.Errorf("%v, at %v", err, v.Now())
	}
	if len(told) != 1 || told.count("callbacks were dropped") != 1 || !strings.Contains(fmt.Sprint(told[0].Err), "1 of them, the first is reactor.TestEndlessCallbacksDoNotHoldTheEnd") {
		t.Errorf("told %v", told)
	}
}

// Callbacks that schedule a few others all run.
func TestLastCallbacksRun(t *testing.T) {
	left := 100 - 10
	v := newWorld(t)
	setup{world: v}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var again func()
		again = func() {
			if left--; left > 0 {
				Facade(l).CallSoon(again)
			}
		}
		again()
		return nil
	})
	if left != 0 {
		t.Errorf("%d were dropped", left)
	}
}

// A task that callbacks start when the last turns are over ends as any other:
// its error is reported, and its panic.
func TestTasksOfEndlessCallbacks(t *testing.T) {
	for name, end := range map[string]func() error{
		"error": func() error { return errBoom },
		"panic": func() error { panic(errBoom) },
	} {
		var told reports
		v := newWorld(t)
		n := 0
		err := setup{world: v, Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
			l := core.Nearest(ctx).Loop()
			var again func()
			again = func() {
				if n++; n < 1000 {
					Facade(l).CallSoon(again)
				}
				if n == 100 {
					Go(ctx, func(ctx context.Context) error { return end() })
				}
			}
			again()
			return nil
		})
		if (name == "error" && told.count("nobody awaited") != 1) || (name == "panic") != errors.Is(err, errBoom) {
			t.Errorf("%s: %v, told %v", name, err, told)
		}
	}
}

// Tasks that start others without end hold the loop for the grace time, and
// are named then.
func TestEndlessTasksAreReported(t *testing.T) {
	for name, c := range map[string]struct{ each, want int }{"one": {1, 1}, "more than are named": {20 + 3, 20}} {
		var told reports
		v := newWorld(t)
		v.Drift = 1_000_000
		setup{world: v, leaky: true, Options: Options{OnError: told.add, Grace: time.Second}}.run(t, func(ctx context.Context) error {
			var again func(ctx context.Context) error
			again = func(ctx context.Context) error { Go(ctx, again); return nil }
			for range c.each {
				Go(ctx, again).SetName("again")
			}
			return Yield(ctx)
		})
		if now := v.Now(); now > 3*time.Second {
			t.Errorf("%s: at %v", name, now)
		}
		named := told.count("a task was dropped before it had begun")
		if named != c.want || told.count("more tasks were dropped") != min(1, c.each-c.want) || !strings.Contains(told[0].Task, "TestEndlessTasksAreReported") {
			t.Errorf("%s: told %v", name, told)
		}
	}
}

// A submission that is dropped before it has begun does not keep its
// goroutine waiting.
func TestSubmissionDroppedBeforeItHasBegun(t *testing.T) {
	var told reports
	v := newWorld(t)
	v.Drift = 1_000_000
	var last *submission[int]
	setup{world: v, leaky: true, Options: Options{OnError: told.add, Grace: time.Second}}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var again func(ctx context.Context) error
		again = func(ctx context.Context) error {
			if l.Cutting() { // the last time, it stands in the queue at the end
				last = &submission[int]{loop: l}
				last.task = spawn[int](l.Root(), "Submit", func(context.Context) (int, error) { return 0, nil }, last)
			}
			Go(ctx, again)
			return nil
		}
		Go(ctx, again)
		return Yield(ctx)
	})
	got := make(chan error, 1)
	go func() {
		_, err := last.wait(context.Background())
		got <- err
	}()
	select {
	case err := <-got:
		if err != ErrLoopClosed {
			t.Errorf("got %v", err)
		}
	case <-time.After(testkit.Patience):
		t.Error("nobody told the goroutine that waits")
	}
}

// Goroutines that post until they are refused can't keep the loop from ending.
func TestPostsWithoutEndDoNotHoldTheEnd(t *testing.T) {
	var posters sync.WaitGroup
	done := make(chan error, 1)
	go func() {
		done <- Run(context.Background(), func(ctx context.Context) error {
			l := LoopOf(ctx)
			for range 4 {
				posters.Go(func() {
					for l.Post(func() {}) == nil {
					}
				})
			}
			return Sleep(ctx, time.Millisecond)
		})
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("Run does not return")
	}
	posters.Wait()
}
