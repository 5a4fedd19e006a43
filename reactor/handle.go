package reactor

import "github.com/eddyio/eddy/reactor/core"

// A Handle is a callback that was scheduled, and can cancel it.
type Handle struct{ core core.Callback }

// CallSoon makes the loop call f on its next turn, after all that is ready
// now, in the order of the calls. f runs on the loop's thread and can't
// suspend: to wait for something it starts a task with [Go]. A panic or a
// runtime.Goexit in f is logged and ends nothing else. CallSoon may be called by tasks
// and callbacks of the loop only, and panics elsewhere; [Loop.Post] is for all others.
func (l *Loop) CallSoon(f func()) *Handle {
	h := newHandle(&l.core, "CallSoon", f)
	h.core.Soon()
	return h
}

func newHandle(l *core.Loop, op string, f func()) *Handle {
	h := &Handle{}
	h.core.Init(l, op, f)
	return h
}

// Cancel keeps the callback from being called. It is true if that was still
// possible, and so at most once. It may be called where CallSoon may.
func (h *Handle) Cancel() bool { return h.core.Cancel() }
