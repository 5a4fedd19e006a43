package core

import (
	"github.com/eddyio/eddy/timerwheel"
)

// An Alarm is a timer that calls f directly, during a turn.
//
// Invariants: when is the time that the alarm is set for, or 0. If it is set,
// node is in the wheel, for when or earlier: moving the alarm to a later time
// is only a store, and node is set again when it fires.
type Alarm struct {
	loop *Loop
	f    func()
	when int64
	node timerwheel.Timer[Expirer]
}

// Init initializes the zero alarm a to call f during a turn.
func (a *Alarm) Init(l *Loop, f func()) {
	a.loop, a.f = l, f
	a.node.Value = a
}

// Loop returns the alarm's loop.
func (a *Alarm) Loop() *Loop { return a.loop }

// Set makes the alarm due at a loop time. Moving it to a later time is only a
// store.
func (a *Alarm) Set(when int64) {
	a.when = max(1, when) // 0 means none
	switch {
	case !a.node.Active():
		a.loop.wheel.Add(&a.node, when)
	case a.node.When() > when:
		a.loop.wheel.Reset(&a.node, when)
	}
}

// Stop disables the alarm until Set.
func (a *Alarm) Stop() {
	a.when = 0
	a.loop.wheel.Cancel(&a.node)
}

func (a *Alarm) Expire() {
	if a.due() {
		a.f()
	}
}

// due reports whether a's time has come. If a was moved to a later time since
// node was set, due sets node again.
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

// An Expirer is the owner of a timer in the wheel.
type Expirer interface{ Expire() }
