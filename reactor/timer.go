package reactor

import (
	"context"
	"time"
)

// A Timer calls a function at a time that may be moved often, as a limit is
// that starts anew at each message. Its methods may be called by tasks and
// callbacks of its loop.
type Timer struct {
	_     noCopy
	alarm alarm
	call  *Handle // is queued, or was
}

// NewTimer makes a Timer that is not set, and that will call f as
// [Loop.CallSoon] does when its time has come. It may be called by tasks and
// callbacks of ctx's loop; elsewhere it panics.
func NewTimer(ctx context.Context, f func()) *Timer {
	s := scopeOf(ctx, "NewTimer")
	l := s.Loop()
	l.onLoop("NewTimer")
	t := new(Timer)
	t.alarm.init(l, func() { t.call = facadeOf(l).CallSoon(f) })
	return t
}

// Reset sets the timer to d from now, whether it is set or not. It costs a look
// at the clock, and to an earlier time than the present one some 20 ns more.
func (t *Timer) Reset(d time.Duration) {
	t.alarm.loop.onLoop("Timer.Reset")
	t.recall()
	t.alarm.set(t.alarm.loop.after(d))
}

// Stop keeps f from being called until the timer is set again.
func (t *Timer) Stop() {
	t.alarm.loop.onLoop("Timer.Stop")
	t.recall()
	t.alarm.stop()
}

// recall cancels a call that is due but was not made yet.
func (t *Timer) recall() {
	if t.call != nil {
		t.call.Cancel()
		t.call = nil
	}
}
