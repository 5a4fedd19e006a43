package core

import "time"

// The loop handles a scope's deadline with a timer of its wheel. But code that
// is not written for eddy may block a task, and with it the loop, in a select
// on Done. Then the wheel's timer never fires. So after the first call of Done,
// a Go timer closes the channel at the deadline, whatever the loop does. For
// goroutines, and for contexts derived from the scope, the scope is done then.
// For the loop it is done when its own timer fires, which is at once if the
// loop is not blocked.

// arm sets the Go timer for the deadline of s, which may be that of an outer
// scope. The caller has locked o. It sets none for a simulated clock or in a
// testing/synctest bubble, whose time Go timers do not follow.
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

// expire makes s done for goroutines, unless its deadline was moved.
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

// doneFor returns the reason why s is done for goroutines, or nil if it is not.
// The loop itself uses only s.reason.
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

// Overdue reports whether the deadline of s has passed, and the loop has had no
// turn to notice it.
func (s *Scope) Overdue() bool {
	e := s.extra.Load()
	if e == nil || s.reason.Load() != nil {
		return false
	}
	until := e.until.Load()
	return until != 0 && until <= s.loop.Now()
}

// rearm resets the Go timers of s and of all scopes below it, after the
// deadline of s was made earlier.
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
