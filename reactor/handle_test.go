package reactor

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// asyncio case 06.
func TestHandleCancel(t *testing.T) {
	v := newWorld(t)
	err := setup{world: v}.run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var tr trace
		soon := Facade(l).CallSoon(func() { tr.add("soon") })
		later := Facade(l).CallLater(time.Second, func() { tr.add("later") })
		due := Facade(l).CallLater(time.Second, func() { tr.add("due") })
		Facade(l).CallAt(time.Second, func() { tr.add("kept") })
		for _, cancel := range []func() bool{soon.Cancel, later.Stop} {
			if !cancel() || cancel() {
				t.Error("Cancel and Stop are true exactly once")
			}
		}
		if n := l.Holdings().Timers; n != 2 {
			t.Errorf("%d timers are left", n)
		}
		ran := Facade(l).CallSoon(func() {})
		Yield(ctx)
		if ran.Cancel() {
			t.Error("cancelled what has run")
		}
		var self *Handle
		self = Facade(l).CallSoon(func() {
			if self.Cancel() {
				t.Error("cancelled itself while it ran")
			}
		})
		// Due, in the ready queue, and cancelled by one that runs before it.
		Go(ctx, func(ctx context.Context) error { return nil })
		Facade(l).CallAt(time.Second-1, func() {
			Facade(l).CallAt(0, func() { due.Stop() })
			v.Time.Add(1)
		})
		Sleep(ctx, 2*time.Second)
		tr.want(t, "kept")
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCallAtAndLaterAreNeverEarly(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Sleep(ctx, time.Minute)
		var tr trace
		Facade(l).CallLater(2*time.Second, func() { tr.add("%v", Facade(l).Time()) })
		Facade(l).CallLater(-time.Second, func() { tr.add("%v", Facade(l).Time()) })
		Facade(l).CallLater(0, func() { tr.add("%v", Facade(l).Time()) })
		Facade(l).CallAt(61*time.Second, func() { tr.add("%v", Facade(l).Time()) })
		Facade(l).CallAt(0, func() { tr.add("%v", Facade(l).Time()) })
		Sleep(ctx, time.Minute)
		tr.want(t, "1m0s 1m0s 1m0s 1m1s 1m2s")
		return nil
	})
}

func TestACallbackMakesTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var f Future[int]
		Facade(l).CallSoon(func() {
			Go(ctx, func(ctx context.Context) error {
				Sleep(ctx, time.Second)
				return f.SetResult(7)
			})
		})
		v, err := f.Await(ctx)
		if v != 7 || Facade(l).Time() != time.Second {
			t.Errorf("%d at %v", v, Facade(l).Time())
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
