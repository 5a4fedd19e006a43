package reactor

import (
	"runtime/debug"

	"github.com/eddyio/eddy/timerwheel"
)

// A callback is a function that the loop calls.
type callback struct {
	_      noCopy
	loop   *loop
	fn     func()  // nil once it ran or was cancelled
	posted bool    // by another goroutine
	node   *waiter // of a callback that waits in a list; nil of others
	timer  timerwheel.Timer[expirer]
}

// init makes c a callback of f, which op is to call. It panics for a nil f, and
// elsewhere than on the loop.
func (c *callback) init(l *loop, op string, f func()) {
	l.onLoop(op)
	if f == nil {
		panic("reactor: " + op + " of a nil function")
	}
	c.loop, c.fn = l, f
}

// soon makes the loop call c on its next turn.
func (c *callback) soon() { c.loop.ready.push(c) }

// at makes the loop call c at a time of the loop's.
func (c *callback) at(when int64) {
	c.timer.Value = c
	c.loop.wheel.Add(&c.timer, when)
}

// whenOver makes the loop call c when t is over. Its function counts as having been
// told of the task's error.
func (c *callback) whenOver(t *task) {
	if t.over {
		t.claim()
		c.soon()
	} else {
		c.node = &waiter{Hook: c}
		t.waiters.push(c.node)
	}
}

// cancel keeps c from being called, and reports whether that was still possible.
func (c *callback) cancel() bool {
	c.loop.onLoop("Handle.Cancel")
	if c.fn == nil {
		return false
	}
	c.fn = nil
	c.loop.wheel.Cancel(&c.timer)
	if c.node != nil {
		c.node.Leave()
	}
	return true
}

func (c *callback) Wake()   { c.loop.ready.push(c) }
func (c *callback) expire() { c.loop.ready.push(c) }

func (c *callback) exec(w *worker) {
	f := c.fn
	c.fn = nil
	returned := false
	defer func() {
		if returned {
			return
		}
		if r := recover(); r != nil {
			c.loop.tell(report{What: "a callback panicked", Err: c.loop.facade.Panicked("a callback", r, debug.Stack())})
		} else {
			w.die()
		}
	}()
	f()
	returned = true
}

// soon makes the loop call f on its next turn.
func (l *loop) soon(f func()) { l.ready.push(&callback{loop: l, fn: f}) }

// postSoon makes the loop call f on its next turn. It may be called from any
// goroutine, and reports whether the loop has not ended.
func (l *loop) postSoon(f func()) bool {
	return l.post(func() { l.ready.push(&callback{loop: l, fn: f, posted: true}) })
}
