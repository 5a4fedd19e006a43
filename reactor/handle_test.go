package reactor

import (
	"context"
	"testing"
	"time"
)

// asyncio case 06.
func TestHandleCancel(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var tr trace
		soon := facadeOf(l).CallSoon(func() { tr.add("soon") })
		later := facadeOf(l).CallLater(time.Second, func() { tr.add("later") })
		due := facadeOf(l).CallLater(time.Second, func() { tr.add("due") })
		facadeOf(l).CallAt(time.Second, func() { tr.add("kept") })
		for _, cancel := range []func() bool{soon.Cancel, later.Stop} {
			if !cancel() || cancel() {
				t.Error("Cancel and Stop are true exactly once")
			}
		}
		if n := l.wheel.Len(); n != 2 {
			t.Errorf("%d timers are left", n)
		}
		ran := facadeOf(l).CallSoon(func() {})
		Yield(ctx)
		if ran.Cancel() {
			t.Error("cancelled what has run")
		}
		var self *Handle
		self = facadeOf(l).CallSoon(func() {
			if self.Cancel() {
				t.Error("cancelled itself while it ran")
			}
		})
		// Due, in the ready queue, and cancelled by one that runs before it.
		Go(ctx, func(ctx context.Context) error { return nil })
		facadeOf(l).CallAt(time.Second-1, func() {
			facadeOf(l).CallAt(0, func() { due.Stop() })
			v := l.clock.(*world)
			v.Time.Add(1)
		})
		Sleep(ctx, 2*time.Second)
		tr.want(t, "kept")
		return nil
	})
}

func TestCallAtAndLaterAreNeverEarly(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		Sleep(ctx, time.Minute)
		var tr trace
		facadeOf(l).CallLater(2*time.Second, func() { tr.add("%v", facadeOf(l).Time()) })
		facadeOf(l).CallLater(-time.Second, func() { tr.add("%v", facadeOf(l).Time()) })
		facadeOf(l).CallLater(0, func() { tr.add("%v", facadeOf(l).Time()) })
		facadeOf(l).CallAt(61*time.Second, func() { tr.add("%v", facadeOf(l).Time()) })
		facadeOf(l).CallAt(0, func() { tr.add("%v", facadeOf(l).Time()) })
		Sleep(ctx, time.Minute)
		tr.want(t, "1m0s 1m0s 1m0s 1m1s 1m2s")
		return nil
	})
}

func TestACallbackMakesTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var f Future[int]
		facadeOf(l).CallSoon(func() {
			Go(ctx, func(ctx context.Context) error {
				Sleep(ctx, time.Second)
				return f.SetResult(7)
			})
		})
		v, err := f.Await(ctx)
		if v != 7 || facadeOf(l).Time() != time.Second {
			t.Errorf("%d at %v", v, facadeOf(l).Time())
		}
		return err
	})
}

// What main leaves behind is not called, except what is due.
func TestTimersLeftAtTheEndAreNotCalled(t *testing.T) {
	setup{world: newWorld(t), later: true}.run(t, func(ctx context.Context) error {
		LoopOf(ctx).CallLater(time.Hour, func() { t.Error("called") })
		return Yield(ctx)
	})
}
