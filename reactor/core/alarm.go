package core

import (
	"github.com/eddyio/eddy/timerwheel"
)

// An Alarm is a timer that calls f on the spot, in the midst of a turn.
//
// Invariants: when is the time it is set for, 0 for none. Then node is in the
// wheel, for when or earlier: so that to move it back is a store, and node is
// set anew when it fires.
type Alarm struct {
	loop *Loop
	f    func()
	when int64
	node timerwheel.Timer[Expirer]
}

// Init makes a, which is zero, an alarm that calls f, in the midst of a turn.
func (a *Alarm) Init(l *Loop, f func()) {
	a.loop, a.f = l, f
	a.node.Value = a
}

// Loop returns the alarm's loop.
func (a *Alarm) Loop() *Loop { return a.loop }

// Set makes the alarm due at a time of the loop's. To move it back is a store.
func (a *Alarm) Set(when int64) {
	a.when = max(1, when) // 0 is none
	switch {
	case !a.node.Active():
		a.loop.wheel.Add(&a.node, when)
	case a.node.When() > when:
		a.loop.wheel.Reset(&a.node, when)
	}
}

// Stop keeps the alarm from being due, until Set.
func (a *Alarm) Stop() {
	a.when = 0
	a.loop.wheel.Cancel(&a.node)
}

func (a *Alarm) Expire() {
	if a.due() {
		a.f()
	}
}

// due reports whether the time has come that a is set for. If it was moved back since
// node was set, node is set anew.
func (a *Alarm) due() bool {
	switch {
	case a.when > max(1, a.loop.Now()):
		a.loop.wheel.Add(&a.node, a.when)
	case a.when != 0:
		a.when = 0
		return true
	}
	return false
}

// An Expirer is what a timer in the wheel belongs to.
type Expirer interface{ Expire() }
