package reactor

import (
	"runtime/debug"
	"time"

	"github.com/eddyio/eddy/timerwheel"
)

// A Handle stands for a callback that was scheduled, and can cancel it.
type Handle struct {
	_      noCopy
	loop   *Loop
	fn     func()  // nil once it ran or was cancelled
	posted bool    // by another goroutine
	node   *waiter // of a callback that waits in a list; nil of others
	timer  timerwheel.Timer[expirer]
}

// CallSoon makes the loop call f on its next turn, after all that is ready
// now, in the order of the calls. f runs on the loop's thread and can't
// suspend: to wait for something it starts a task with [Go]. A panic in f is
// logged and ends nothing else. CallSoon may be called by tasks and callbacks
// of the loop only, and panics elsewhere; [Loop.Post] is for all others.
func (l *Loop) CallSoon(f func()) *Handle {
	h := l.newHandle("CallSoon", f)
	l.ready.push(h)
	return h
}

// CallLater makes the loop call f after d, never earlier; calls that are due at
// the same time come in the order in which they were asked for. In all else it
// is as [Loop.CallSoon].
func (l *Loop) CallLater(d time.Duration, f func()) *Handle {
	h := l.newHandle("CallLater", f)
	h.timer.Value = h
	l.wheel.Add(&h.timer, l.after(d))
	return h
}

// CallAt is as [Loop.CallLater], with the loop's time ([Loop.Time]) at which f
// is due.
func (l *Loop) CallAt(when time.Duration, f func()) *Handle {
	h := l.newHandle("CallAt", f)
	h.timer.Value = h
	l.wheel.Add(&h.timer, int64(when))
	return h
}

func (l *Loop) newHandle(op string, f func()) *Handle {
	l.onLoop(op)
	if f == nil {
		panic("reactor: " + op + " of a nil function")
	}
	return &Handle{loop: l, fn: f}
}

// Cancel keeps the callback from being called. It is true if that was still
// possible, and so at most once. It may be called where CallSoon may.
func (h *Handle) Cancel() bool {
	h.loop.onLoop("Handle.Cancel")
	if h.fn == nil {
		return false
	}
	h.fn = nil
	h.loop.wheel.Cancel(&h.timer)
	if h.node != nil && h.node.list != nil {
		h.node.list.remove(h.node)
	}
	return true
}

func (h *Handle) wake()   { h.loop.ready.push(h) }
func (h *Handle) expire() { h.loop.ready.push(h) }

func (h *Handle) exec(w *worker) {
	f := h.fn
	h.fn = nil
	returned := false
	defer func() {
		if returned {
			return
		}
		if r := recover(); r != nil {
			h.loop.tell(Report{What: "a callback panicked", Err: &PanicError{"a callback", r, debug.Stack()}})
		} else {
			w.die()
		}
	}()
	f()
	returned = true
}
