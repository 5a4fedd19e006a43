package core

import "runtime/debug"

// A Callback is a function that the loop calls.
type Callback struct {
	_      noCopy
	loop   *Loop
	fn     func()  // nil after it ran or was cancelled
	posted bool    // by another goroutine
	node   *Waiter // set if the callback waits in a list
}

// Init initializes c to call f. op is the caller's name for panics: Init panics
// if f is nil or the caller is not on the loop.
func (c *Callback) Init(l *Loop, op string, f func()) {
	l.OnLoop(op)
	if f == nil {
		panic("reactor: " + op + " of a nil function")
	}
	c.loop, c.fn = l, f
}

// Soon makes the loop call c on its next turn.
func (c *Callback) Soon() { c.loop.ready.push(c) }

// WhenOver makes the loop call c when t is over. The task's error counts as
// claimed then.
func (c *Callback) WhenOver(t *Task) {
	if t.over {
		t.Claim()
		c.Soon()
	} else {
		c.node = &Waiter{Hook: c}
		t.waiters.Push(c.node)
	}
}

// Cancel keeps c from being called, and reports whether that was still possible.
func (c *Callback) Cancel() bool {
	c.loop.OnLoop("Handle.Cancel")
	if c.fn == nil {
		return false
	}
	c.fn = nil
	if c.node != nil {
		c.node.Leave()
	}
	return true
}

func (c *Callback) Wake() { c.loop.ready.push(c) }

// dropped reports whether c was cancelled while it was in the ready queue.
func (c *Callback) dropped() bool { return c.fn == nil }

func (c *Callback) Exec(w *Worker) {
	f := c.fn
	c.fn = nil
	c.loop.call(w, f)
}

// call calls f, a callback's function, on w.
func (l *Loop) call(w *Worker, f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		what, r := "a callback panicked", recover()
		exits := r == nil
		if exits {
			what, r = "a callback called runtime.Goexit", ErrGoexit
		}
		l.Report(Report{Kind: CallbackPanicked, What: what, Err: l.facade.Panicked("a callback", r, debug.Stack())})
		if exits {
			w.leave()
		}
	}()
	f()
	returned = true
}

// Soon makes the loop call f on its next turn.
func (l *Loop) Soon(f func()) { l.ready.push(&Callback{loop: l, fn: f}) }

// A postedCallback is a callback that is queued when its message arrives.
type postedCallback struct {
	message Message
	Callback
}

// PostSoon makes the loop call f on its next turn. It may be called from any
// goroutine, and returns false if the loop has ended.
func (l *Loop) PostSoon(f func()) bool {
	c := &postedCallback{Callback: Callback{loop: l, fn: f, posted: true}}
	c.message.Hook = &c.Callback
	return l.PostMessage(&c.message)
}
