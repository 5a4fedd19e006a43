package core

import (
	"context"
	"sync/atomic"
)

// A Scope is a part of a program that is cancelled as a unit: a task, the body
// of a Timeout, a Group. Scopes form a tree, and cancelling one cancels all
// below it at once. It is the context.Context of the code in it, so other
// goroutines use it too: the fields that they read are atomic or constant, and
// all others belong to the loop's thread.
//
// Invariants:
//   - reason is set once; from then on every scope below has one too;
//   - a scope with up set is in up's list of kids, and in no other;
//   - w is the worker that executes the scope's code, while it does; a task
//     that parks under a scope it does not execute is among the guests.
type Scope struct {
	loop   *Loop
	parent context.Context // for values, and the deadline
	up     *Scope
	kids   *Scope // the first of a circular list, by next and prev
	next   *Scope
	prev   *Scope
	w      *Worker
	extra  atomic.Pointer[extra]
	reason atomic.Pointer[reason]
}

// extra holds state that few scopes need. It is made when first needed, by any
// goroutine; goroutines other than the loop's read only until, outside and notes.
type extra struct {
	until     atomic.Int64 // deadline in loop time; 0: none of its own
	guests    guestList
	followers followers
	follows   *follower // of a foreign parent
	passed    *reason   // of a former outer scope that is over
	stopped   *Task     // a cancelled task that the task awaited
	failure   *failure  // of the task, until it is claimed
	unclaimed *failure  // first of a circular list: failures of tasks that the task made
	name      atomic.Pointer[string]
	outside   atomic.Pointer[outside]
	notes     atomic.Pointer[notes]
}

func (s *Scope) more() *extra {
	if e := s.extra.Load(); e != nil {
		return e
	}
	e := new(extra)
	if s.extra.CompareAndSwap(nil, e) {
		return e
	}
	return s.extra.Load()
}

// Init makes s a scope below ctx, which must be derived from a scope of the
// loop. If ctx is shielded from cancellation, or can be cancelled by a foreign
// context, s goes below home instead.
func (s *Scope) Init(ctx context.Context, home *Scope) {
	s.loop, s.parent = home.loop, ctx
	near := Nearest(ctx)
	switch {
	case near.governs(ctx):
		s.link(near)
	case ctx.Done() == nil:
		s.link(home)
	default:
		s.link(home)
		s.Follow(ctx)
	}
}

func (s *Scope) link(up *Scope) {
	s.up = up
	if up.kids == nil {
		up.kids, s.next, s.prev = s, s, s
	} else {
		first, last := up.kids, up.kids.prev
		s.next, s.prev = first, last
		last.next, first.prev = s, s
	}
	if r := up.reason.Load(); r != nil {
		if s.reason.Load() == nil { // one that moves up keeps its own
			s.reason.Store(r)
		}
	}
}

func (s *Scope) unlink() {
	if s.followed() {
		s.unfollowed()
	}
	if s.up != nil {
		s.detach()
	}
}

// detach removes s from its parent's list.
func (s *Scope) detach() {
	up := s.up
	if s.next == s {
		up.kids = nil
	} else {
		s.prev.next, s.next.prev = s.next, s.prev
		if up.kids == s {
			up.kids = s.next
		}
	}
	s.up, s.next, s.prev = nil, nil, nil
}

// cancel makes s and all below it done, and readies every task parked there. It
// reports whether it did: a scope is cancelled only once.
func (s *Scope) cancel(r *reason) bool {
	if s.reason.Load() != nil {
		return false
	}
	s.reason.Store(r)
	s.tellOutside()
	if w := s.w; w != nil && w.where == s {
		w.Wake(WokenCanceled)
	}
	s.wakeGuests()
	for k := s.kids; k != nil; {
		k.cancel(r)
		if k = k.next; k == s.kids {
			break
		}
	}
	s.tellFollowers()
	return true
}

// end closes the scope of a task that is over. Scopes below it go on, now
// directly below s.up; only users of its ctx itself, other goroutines and
// guests, find it done.
func (s *Scope) end() {
	for s.kids != nil {
		k, up := s.kids, s.up
		k.inherit(s)
		k.detach()
		k.link(up)
	}
	s.unlink()
	s.w = nil
	if s.reason.Load() == nil {
		s.reason.Store(s.loop.over)
		s.tellOutside()
		s.wakeGuests()
		s.tellFollowers()
	}
}

// Close closes a scope that has a body, a Timeout's or a Group's: it cancels
// what still runs below it, like a std context's cancel function.
func (s *Scope) Close() {
	s.cancel(s.loop.over)
	s.unlink()
	s.w = nil
}

func (s *Scope) check() string {
	if s.kids != nil {
		for k := s.kids; ; k = k.next {
			switch {
			case k.up != s:
				return "scope: a kid names another parent"
			case k.next.prev != k:
				return "scope: broken links"
			case s.reason.Load() != nil && k.reason.Load() == nil:
				return "scope: done, but one below it is not"
			}
			if msg := k.check(); msg != "" {
				return msg
			}
			if k.next == s.kids {
				break
			}
		}
	}
	e := s.extra.Load()
	if e == nil {
		return ""
	}
	for g := e.guests.first; g != nil; g = g.nextGuest {
		if g.state != parked || g.where != s {
			return "scope: a guest that is not parked here"
		}
	}
	return ""
}

// Loop returns the scope's loop.
func (s *Scope) Loop() *Loop { return s.loop }

// Cancel makes s and all below it done for a cause, which may be nil, and readies
// every task that is parked there. It reports whether it did: a scope is
// cancelled only once.
func (s *Scope) Cancel(cause error) bool { return s.cancel(s.loop.because(cause)) }

// CancelLike is Cancel with the cause of another scope, which must be done.
func (s *Scope) CancelLike(other *Scope) bool { return s.cancel(other.reason.Load()) }

// Expire is Cancel, because the deadline of s has passed.
func (s *Scope) Expire() bool { return s.cancel(reasonDeadline) }

// Canceled reports whether s is done.
func (s *Scope) Canceled() bool { return s.reason.Load() != nil }

// OuterDone reports whether an outer scope of s is done, regardless of s.
func (s *Scope) OuterDone() bool { return s.parent.Err() != nil }

// SetUntil records the loop time of a deadline of s, or 0 for none. The caller
// must set the timer.
func (s *Scope) SetUntil(until int64) {
	before := s.more().until.Swap(until)
	if until != 0 && (before == 0 || until < before) {
		s.rearm()
	}
}
