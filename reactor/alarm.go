package reactor

import (
	"github.com/eddyio/eddy/timerwheel"
)

// An alarm is a timer that calls f on the spot, in the midst of a turn.
//
// Invariants: when is the time it is set for, 0 for none. Then node is in the
// wheel, for when or earlier: so that to move it back is a store, and node is
// set anew when it fires.
type alarm struct {
	loop *loop
	f    func()
	when int64
	node timerwheel.Timer[expirer]
}

func (a *alarm) init(l *loop, f func()) {
	a.loop, a.f = l, f
	a.node.Value = a
}

func (a *alarm) set(when int64) {
	a.when = max(1, when) // 0 is none
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
	if a.due() {
		a.f()
	}
}

// due reports whether the time has come that a is set for. If it was moved back since
// node was set, node is set anew.
func (a *alarm) due() bool {
	switch {
	case a.when > max(1, a.loop.now()):
		a.loop.wheel.Add(&a.node, a.when)
	case a.when != 0:
		a.when = 0
		return true
	}
	return false
}

// An expirer is what a timer in the wheel belongs to.
type expirer interface{ expire() }
