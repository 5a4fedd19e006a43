package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor/core"
)

// By the real clock: never early.
func TestSleepIsNeverEarly(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{1, time.Microsecond, 50 * time.Microsecond, time.Millisecond, 3 * time.Millisecond} {
			for range 3 {
				start, began := LoopOf(ctx).Time(), time.Now()
				if err := Sleep(ctx, d); err != nil {
					return err
				}
				if took, wall := LoopOf(ctx).Time()-start, time.Since(began); took < d || wall < d {
					t.Errorf("Sleep(%v) took %v, %v by the wall", d, took, wall)
				}
			}
		}
		return nil
	})
}

func TestSleepOfNothingYields(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{0, -1, -time.Hour} {
			turned := false
			LoopOf(ctx).CallSoon(func() { turned = true })
			if err := Sleep(ctx, d); err != nil || !turned {
				t.Errorf("Sleep(%v): %v, turned %v", d, err, turned)
			}
		}
		if now := LoopOf(ctx).Time(); now != 0 {
			t.Errorf("at %v", now)
		}
		return nil
	})
}

// Woken by its timer and cancelled before it resumes: the sleep was complete.
func TestACancellationAfterTheWakeIsNotLost(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var slept, next error
		var task *Task[struct{}]
		Facade(l).CallAt(time.Second, func() { task.Cancel(errBoom) }) // before the sleeper, in the same turn
		task = Go(ctx, func(ctx context.Context) error {
			slept = Sleep(ctx, time.Second)
			next = Sleep(ctx, time.Second)
			return nil
		})
		task.Wait(ctx)
		if slept != nil || !errors.Is(next, errBoom) || Facade(l).Time() != time.Second {
			t.Errorf("%v, %v at %v", slept, next, Facade(l).Time())
		}
		yielded, next := error(nil), error(nil)
		task = Go(ctx, func(ctx context.Context) error {
			Facade(l).CallSoon(func() { task.Cancel(errBoom) })
			yielded = Yield(ctx)
			next = Yield(ctx)
			return nil
		})
		task.Wait(ctx)
		if yielded != nil || !errors.Is(next, errBoom) {
			t.Errorf("Yield: %v, %v", yielded, next)
		}
		return nil
	})
}

func TestSleepAndYieldDoNotAllocate(t *testing.T) {
	if testing.AllocsPerRun(10, func() { coro.Self() }) != 0 {
		t.Skip("a goroutine's identity costs an allocation on this platform")
	}
	run(t, func(ctx context.Context) error {
		for range 3 {
			Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
				for Yield(ctx) == nil {
				}
				return nil
			})
		}
		for name, f := range map[string]func(){
			"Yield":   func() { Yield(ctx) },
			"Sleep 0": func() { Sleep(ctx, 0) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
		return nil
	})
	run(t, func(ctx context.Context) error { // by itself: beside one that yields, virtual time stands still
		if n := testing.AllocsPerRun(100, func() { Sleep(ctx, time.Microsecond) }); n != 0 {
			t.Errorf("Sleep: %v allocations", n)
		}
		nothing := func(context.Context) error { return nil }
		for range 10 { // the worker is in the pool
			Go(ctx, nothing).Wait(ctx)
		}
		if n := testing.AllocsPerRun(100, func() { Go(ctx, nothing); Yield(ctx) }); n != 1 {
			t.Errorf("Go: %v allocations", n)
		}
		return nil
	})
}

// Since and Until go by the loop's clock: the system's, or another.
func TestSinceAndUntil(t *testing.T) {
	run(t, func(ctx context.Context) error {
		began := Now(ctx)
		Sleep(ctx, time.Hour)
		if d, left := Since(ctx, began), Until(ctx, began.Add(3*time.Hour)); d != time.Hour || left != 2*time.Hour {
			t.Errorf("since %v, until %v", d, left)
		}
		return nil
	})
	for _, ctx := range []context.Context{context.Background(), nil} {
		before := time.Now()
		if ctx != nil {
			runReal(t, func(c context.Context) error { ctx = c; return nil })
		} else {
			ctx = context.Background()
		}
		if d, most := Since(ctx, before), time.Since(before); d < 0 || d > most {
			t.Errorf("since %v, at most %v", d, most)
		}
		if left := Until(ctx, time.Now().Add(time.Hour)); left > time.Hour || left < 0 {
			t.Errorf("until %v", left)
		}
	}
}
