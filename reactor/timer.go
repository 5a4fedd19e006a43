package reactor

import (
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Timer is a callback that is due at a time, made by [Loop.CallLater] or
// [Loop.CallAt]. It may be reset often, for instance a time limit at each
// message. Its methods may be called by tasks and callbacks of its loop.
// (asyncio's TimerHandle, with the methods of a time.Timer.)
type Timer struct {
	_    noCopy
	core core.TimedCall
}

// CallLater makes the loop call f, like [Loop.CallSoon], after d, never
// earlier. Callbacks that are due at the same time run in the order in which
// they were scheduled.
func (l *Loop) CallLater(d time.Duration, f func()) *Timer {
	t := newTimer(&l.core, "CallLater", f)
	t.core.Move(l.core.After(d))
	return t
}

// CallAt is [Loop.CallLater] with the time at which f is due, in the loop's
// time (see [Loop.Time]).
func (l *Loop) CallAt(when time.Duration, f func()) *Timer {
	t := newTimer(&l.core, "CallAt", f)
	t.core.Move(int64(when))
	return t
}

func newTimer(l *core.Loop, op string, f func()) *Timer {
	t := new(Timer)
	t.core.Init(l, op, f)
	return t
}

// Reset makes the call due d from now, whether it is pending, has been made or
// was stopped. It costs a reading of the clock, and about 20 ns more if the new
// time is earlier than the old one.
func (t *Timer) Reset(d time.Duration) {
	t.core.Loop().OnLoop("Timer.Reset")
	t.core.Move(t.core.Loop().After(d))
}

// Stop keeps the call from being made, until the timer is reset. It reports
// whether the call was pending.
func (t *Timer) Stop() bool {
	t.core.Loop().OnLoop("Timer.Stop")
	return t.core.Cancel()
}
