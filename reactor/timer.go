package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/timerwheel"
)

// A Timer calls a function at a time that may be moved often, as a limit is
// that starts anew at each message. Its methods may be called by tasks and
// callbacks of its loop.
type Timer struct {
	_ noCopy
	alarm
	call *Handle // is queued, or was
}

// NewTimer makes a Timer that is not set, and that will call f as
// [Loop.CallSoon] does when its time has come. It may be called by tasks and
// callbacks of ctx's loop; elsewhere it panics.
func NewTimer(ctx context.Context, f func()) *Timer {
	s := nearest(ctx)
	if s == nil {
		panic("reactor: NewTimer outside a task: pass the ctx that a task's function receives (see reactor.Run)")
	}
	l := s.loop
	l.onLoop("NewTimer")
	t := new(Timer)
	t.init(l, func() { t.call = l.CallSoon(f) })
	return t
}

// Reset sets the timer to d from now, whether it is set or not. It costs a look
// at the clock, and to an earlier time than the present one some 20 ns more.
func (t *Timer) Reset(d time.Duration) {
	t.loop.onLoop("Timer.Reset")
	t.recall()
	t.set(t.loop.after(d))
}

// Stop keeps f from being called until the timer is set again.
func (t *Timer) Stop() {
	t.loop.onLoop("Timer.Stop")
	t.recall()
	t.stop()
}

// recall cancels a call that is due but was not made yet.
func (t *Timer) recall() {
	if t.call != nil {
		t.call.Cancel()
		t.call = nil
	}
}

// An alarm is a timer that calls f on the spot, in the midst of a turn.
//
// Invariants: when is the time it is set for, 0 for none. Then node is in the
// wheel, for when or earlier: so that to move it back is a store, and node is
// set anew when it fires.
type alarm struct {
	loop *Loop
	f    func()
	when int64
	node timerwheel.Timer[expirer]
}

func (a *alarm) init(l *Loop, f func()) {
	a.loop, a.f = l, f
	a.node.Value = a
}

func (a *alarm) set(when int64) {
	when = max(1, when) // 0 is none
	a.when = when
	switch {
	case !a.node.Active():
		a.loop.wheel.Add(&a.node, when)
	case a.node.When() > when:
		a.loop.wheel.Reset(&a.node, when)
	}
}

func (a *alarm) stop() {
	a.when = 0
	a.loop.wheel.Cancel(&a.node)
}

func (a *alarm) expire() {
	switch {
	case a.when > a.loop.now():
		a.loop.wheel.Add(&a.node, a.when)
	case a.when != 0:
		a.when = 0
		a.f()
	}
}
