package reactor

import "github.com/eddyio/eddy/reactor/core"

// A Handle is a scheduled callback; it can be cancelled.
type Handle struct{ core core.Callback }

// CallSoon makes the loop call f on its next turn, after everything that is
// ready now, in the order of the calls. f runs on the loop's thread and can't
// suspend: to wait for something it must start a task with [Go]. A panic or a
// runtime.Goexit in f is logged and affects nothing else. CallSoon may be
// called only by tasks and callbacks of the loop, and panics elsewhere; other
// goroutines use [Loop.Post].
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

// Cancel keeps the callback from being called. It reports whether that was
// still possible, so it returns true at most once. It may be called where
// CallSoon may.
func (h *Handle) Cancel() bool { return h.core.Cancel() }
