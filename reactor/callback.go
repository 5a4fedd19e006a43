package reactor

import "runtime/debug"

// A callback is a function that the loop calls.
type callback struct {
	_      noCopy
	loop   *loop
	fn     func()  // nil once it ran or was cancelled
	posted bool    // by another goroutine
	node   *waiter // of a callback that waits in a list; nil of others
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
	if c.node != nil {
		c.node.Leave()
	}
	return true
}

func (c *callback) Wake() { c.loop.ready.push(c) }

// dropped reports whether c was cancelled when it stood in the ready queue.
func (c *callback) dropped() bool { return c.fn == nil }

func (c *callback) exec(w *worker) {
	f := c.fn
	c.fn = nil
	c.loop.call(w, f)
}

// call calls f, a callback's function, on w.
func (l *loop) call(w *worker, f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if r := recover(); r != nil {
			l.tell(report{What: "a callback panicked", Err: l.facade.Panicked("a callback", r, debug.Stack())})
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
