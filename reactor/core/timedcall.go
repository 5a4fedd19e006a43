package core

// A TimedCall is a callback that is due at a time, which may be moved.
type TimedCall struct {
	Alarm
	queued bool // it stands in the ready queue, and is to be called
}

// Init makes t a callback of f, which op is to call. It panics for a nil f, and
// elsewhere than on the loop.
func (t *TimedCall) Init(l *Loop, op string, f func()) {
	l.OnLoop(op)
	if f == nil {
		panic("reactor: " + op + " of a nil function")
	}
	t.loop, t.f = l, f
	t.node.Value = t
}

// Move makes the call due at a time of the loop's, also if it was due already or has
// been made.
func (t *TimedCall) Move(when int64) {
	t.queued = false
	t.Set(when)
}

// Cancel keeps the call from being made, and reports whether it was still to come.
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

// dropped reports whether the call was cancelled or moved when it stood in the ready
// queue. It can't stand there twice: a turn makes all calls that are due before the
// next looks at the clock.
func (t *TimedCall) dropped() bool { return !t.queued }

func (t *TimedCall) Exec(w *Worker) {
	t.queued = false
	t.loop.call(w, t.f)
}
