package core

import "time"

// A scope's deadline is the loop's affair: a timer of its wheel cancels it. But a task
// may stand in a select on Done, and its loop with it: code that knows nothing of eddy
// does so. Then the timer never comes. So once Done was asked for, a timer of Go's closes
// the channel at the deadline, whatever the loop does. For goroutines, and for contexts
// derived from the scope, it is done then. For the loop it is done when its own timer
// says so, which is at once if it is free.

// arm sets Go's timer for the deadline of s, which may be that of a scope around it. The
// caller has locked o. A simulated clock, and that of a bubble of testing/synctest, is
// none of Go's timers' business.
func (o *outside) arm(s *Scope) {
	d, ok := s.Deadline()
	if _, real := s.loop.clock.(monotonic); !ok || !real || s.loop.sim != nil || o.ended || InBubble() {
		return
	}
	left := max(0, time.Until(d))
	if o.timer == nil {
		o.timer = time.AfterFunc(left, func() { o.expire(s) })
	} else {
		o.timer.Reset(left)
	}
}

// expire makes s done for goroutines, unless its deadline has been moved.
func (o *outside) expire(s *Scope) {
	o.mu.Lock()
	d, ok := s.Deadline()
	switch {
	case !ok || o.ended || s.reason.Load() != nil:
		o.mu.Unlock()
		return
	case time.Until(d) > 0:
		o.arm(s)
		o.mu.Unlock()
		return
	}
	o.early.Store(reasonDeadline)
	o.mu.Unlock()
	o.end()
}

// doneFor returns why s is done for goroutines, or nil if it is not. The loop itself goes
// by reason alone.
func (s *Scope) doneFor() *reason {
	if e := s.extra.Load(); e != nil {
		if o := e.outside.Load(); o != nil {
			if early := o.early.Load(); early != nil {
				return early
			}
		}
	}
	return s.reason.Load()
}

// Overdue reports whether the deadline of s has passed, and the loop has had no turn to
// notice.
func (s *Scope) Overdue() bool {
	e := s.extra.Load()
	if e == nil || s.reason.Load() != nil {
		return false
	}
	until := e.until.Load()
	return until != 0 && until <= s.loop.Now()
}

// rearm sets Go's timers anew, of s and of all below it, since the deadline of s is an
// earlier one now.
func (s *Scope) rearm() {
	if e := s.extra.Load(); e != nil {
		if o := e.outside.Load(); o != nil {
			o.mu.Lock()
			if o.done != nil {
				o.arm(s)
			}
			o.mu.Unlock()
		}
	}
	for k := s.kids; k != nil; {
		k.rearm()
		if k = k.next; k == s.kids {
			break
		}
	}
}
