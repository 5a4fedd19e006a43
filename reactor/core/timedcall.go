package core

// A TimedCall is a callback that is due at a time, which can be changed.
type TimedCall struct {
	Alarm
	queued bool // it is in the ready queue, to be called
}

// Init initializes t to call f. op is the caller's name for panics: Init panics
// if f is nil or the caller is not on the loop.
func (t *TimedCall) Init(l *Loop, op string, f func()) {
	l.OnLoop(op)
	if f == nil {
		panic("reactor: " + op + " of a nil function")
	}
	t.loop, t.f = l, f
	t.node.Value = t
}

// Move makes the call due at a loop time, even if it was due already or has
// been made.
func (t *TimedCall) Move(when int64) {
	t.queued = false
	t.Set(when)
}

// Cancel keeps the call from being made, and reports whether it was pending.
func (t *TimedCall) Cancel() bool {
	pending := t.queued || t.when != 0
	t.queued = false
	t.Stop()
	return pending
}

func (t *TimedCall) Expire() {
	if t.due() {
		t.queued = true
		t.loop.ready.push(t)
	}
}

// dropped reports whether the call was cancelled or moved while it was in the
// ready queue. It can't be there twice: a turn makes all calls that are due
// before the next turn reads the clock.
func (t *TimedCall) dropped() bool { return !t.queued }

func (t *TimedCall) Exec(w *Worker) {
	t.queued = false
	t.loop.call(w, t.f)
}
