package reactor

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// stopped returns a timer that is not set.
func stopped(l *core.Loop, f func()) *Timer {
	t := Facade(l).CallLater(0, f)
	t.Stop()
	return t
}

func TestTimerIsMovedAndStopped(t *testing.T) {
	type step struct {
		at    time.Duration
		reset time.Duration // 0: Stop
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  []time.Duration
	}{
		{"set", []step{{0, time.Second}}, []time.Duration{time.Second}},
		{"not set", nil, nil},
		{"moved back", []step{{0, 2 * time.Second}, {time.Second, 2 * time.Second}}, []time.Duration{3 * time.Second}},
		{"moved forward", []step{{0, 9 * time.Second}, {time.Second, time.Second}}, []time.Duration{2 * time.Second}},
		{"stopped", []step{{0, 2 * time.Second}, {time.Second, 0}}, nil},
		{"stopped and set", []step{{0, 2 * time.Second}, {time.Second, 0}, {2 * time.Second, time.Second}}, []time.Duration{3 * time.Second}},
		{"stopped when due", []step{{0, time.Second}, {time.Second, 0}}, nil},
		{"set anew when due", []step{{0, time.Second}, {time.Second, time.Second}}, []time.Duration{2 * time.Second}},
		{"set again once called", []step{{0, time.Second}, {3 * time.Second, time.Second}}, []time.Duration{time.Second, 4 * time.Second}},
		{"in the past", []step{{time.Second, -time.Second}}, []time.Duration{time.Second}},
	} {
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
			var got []time.Duration
			var timer *Timer
			// The steps are timers too, and older: of two that are due in one turn
			// the step comes first, and the timer's call is queued after it.
			for _, s := range c.steps {
				Facade(l).CallAt(s.at, func() {
					if timer == nil {
						timer = stopped(l, func() { got = append(got, Facade(l).Time()) })
					}
					if s.reset == 0 {
						timer.Stop()
					} else {
						timer.Reset(s.reset)
					}
				})
			}
			err := Sleep(ctx, time.Minute)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: called at %v, want %v", c.name, got, c.want)
			}
			return err
		})
	}
}

// A call that is queued already, in the turn in which the timer was due, is
// taken back too.
func TestTimerStoppedOnceItsCallIsQueued(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		timer := stopped(l, func() { t.Error("called though it was stopped") })
		moved := 0
		other := stopped(l, func() { moved++ })
		first := new(core.Alarm) // it queues its call before the timers', in the same turn
		first.Init(l, func() { Facade(l).CallSoon(func() { timer.Stop(); other.Reset(time.Second) }) })
		first.Set(int64(time.Second))
		timer.Reset(time.Second)
		other.Reset(time.Second)
		Sleep(ctx, 1500*time.Millisecond)
		if moved != 0 {
			t.Error("called though it was moved")
		}
		err := Sleep(ctx, time.Minute)
		if moved != 1 {
			t.Errorf("called %d times after it was moved, want once", moved)
		}
		return err
	})
}

// A Timer that only moves to later times has one entry in the wheel, not many.
func TestTimerMovedBackCostsNoWheelEntry(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		timer := stopped(l, func() {})
		before := l.Holdings().Timers
		for i := range 100 {
			timer.Reset(time.Duration(i+1) * time.Second)
		}
		if n := l.Holdings().Timers - before; n != 1 {
			t.Errorf("%d entries", n)
		}
		timer.Stop()
		if n := l.Holdings().Timers - before; n != 0 {
			t.Errorf("%d entries after Stop", n)
		}
		return nil
	})
}
