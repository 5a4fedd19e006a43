package reactor

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A scope is a region of a program that is cancelled as one: a task, the body
// of a Timeout, a Group. Scopes form a tree, and the cancellation of one
// reaches all below it at once. It is the context.Context that code in it
// gets, so it must answer other goroutines too: those of its fields that they
// read are atomic or constant, and all others belong to the loop's thread.
//
// Invariants:
//   - reason is set once; from then on every scope below has one too;
//   - a scope with up set stands in up's list of kids, and nowhere else;
//   - w is the worker that executes the scope's code, while it does; a task
//     that parks under a scope it does not execute is among the guests.
type scope struct {
	loop   *Loop
	parent context.Context // for values, and the deadline
	up     *scope
	kids   *scope // the first of a circular list, by next and prev
	next   *scope
	prev   *scope
	w      *worker
	extra  atomic.Pointer[extra]
	reason atomic.Pointer[reason]
}

// extra is what few scopes need. It is made when first needed, by any goroutine;
// others than the loop's read until and outside alone.
type extra struct {
	until     atomic.Int64 // deadline in loop time; 0: none of its own
	guests    guestList
	followers followers
	follows   *follower // of a foreign parent
	passed    *reason   // of a scope that was around this one, and is over
	stopped   *task     // which the task awaited, and which was cancelled
	failure   *failure  // of the task, until somebody asks
	unclaimed *failure  // first of a circular list: those of tasks that the task made
	name      atomic.Pointer[string]
	outside   atomic.Pointer[outside]
}

func (s *scope) more() *extra {
	if e := s.extra.Load(); e != nil {
		return e
	}
	e := new(extra)
	if s.extra.CompareAndSwap(nil, e) {
		return e
	}
	return s.extra.Load()
}

// followed says whether s gets its cancellation from a foreign context.
func (s *scope) followed() bool {
	e := s.extra.Load()
	return e != nil && e.follows != nil
}

// A reason is why a scope is done.
type reason struct {
	err   error // what ctx.Err returns: context.Canceled or context.DeadlineExceeded
	await error // what awaits under it return; errors.Is finds err in it
	cause error
}

var (
	reasonCanceled = &reason{context.Canceled, context.Canceled, context.Canceled}
	reasonDeadline = &reason{context.DeadlineExceeded, context.DeadlineExceeded, context.DeadlineExceeded}
	reasonEnded    = because(errEnded)
	errEnded       = errors.New("the task or scope that this ctx belongs to has ended")
)

// A CancelError is what an await returns whose scope was cancelled for a
// stated cause. It is a [context.Canceled], and its cause too, for errors.Is
// and errors.As.
type CancelError struct{ Cause error }

func (e *CancelError) Error() string        { return context.Canceled.Error() + ": " + e.Cause.Error() }
func (e *CancelError) Is(target error) bool { return target == context.Canceled }
func (e *CancelError) Unwrap() error        { return e.Cause }

// A deadlineError is what an await returns under a foreign context whose deadline
// has passed and has a cause. It is a [context.DeadlineExceeded], and its cause too,
// for errors.Is and errors.As.
type deadlineError struct{ cause error }

func (e *deadlineError) Error() string {
	return context.DeadlineExceeded.Error() + ": " + e.cause.Error()
}
func (e *deadlineError) Is(target error) bool { return target == context.DeadlineExceeded }
func (e *deadlineError) Unwrap() error        { return e.cause }

// because makes the reason of a cancellation with a cause, which may be nil.
func because(cause error) *reason {
	if cause == nil || cause == context.Canceled {
		return reasonCanceled
	}
	return &reason{context.Canceled, &CancelError{cause}, cause}
}

// reasonOf makes the reason of a foreign context that is done. When it names no
// cause, that may be because it was cancelled by way of a scope, whose cause
// package context can't ask for.
func reasonOf(ctx context.Context) *reason {
	cause := context.Cause(ctx)
	if s := nearest(ctx); s != nil && cause == ctx.Err() {
		if r := s.reason.Load(); r != nil && r.err == cause {
			return r
		}
	}
	switch err := ctx.Err(); {
	case err == context.DeadlineExceeded && (cause == nil || cause == err):
		return reasonDeadline
	case err == context.DeadlineExceeded:
		return &reason{err, &deadlineError{cause}, cause}
	default:
		return because(cause)
	}
}

// Cause returns why ctx is done, as [context.Cause] does for the standard
// library's contexts: the cause that the task or scope was cancelled with, or
// ctx.Err(). It is nil while ctx is not done, and may be called from anywhere.
func Cause(ctx context.Context) error {
	if s, ok := ctx.Value(scopeKey).(*scope); ok {
		if r := s.reason.Load(); r != nil && ctx.Err() == r.err {
			return r.cause
		}
	}
	return context.Cause(ctx)
}

// scopeKey is the key under which a context tells its nearest scope.
var scopeKey any = new(int)

// nearest returns the scope that ctx descends from, or nil.
func nearest(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(scopeKey).(*scope)
	return s
}

// governs says whether ctx, whose nearest scope is s, is done exactly when s
// is: it is s itself, or s with values added.
func (s *scope) governs(ctx context.Context) bool {
	if c, ok := ctx.(*scope); ok {
		return c == s
	}
	return ctx.Done() == s.Done()
}

// init makes s a scope below ctx, which must descend from a scope of the loop.
// When ctx is shielded from cancellation, or gets it from a context that is
// not the loop's, s goes below home instead.
func (s *scope) init(ctx context.Context, home *scope) {
	s.loop, s.parent = home.loop, ctx
	near := nearest(ctx)
	switch {
	case near.governs(ctx):
		s.link(near)
	case ctx.Done() == nil:
		s.link(home)
	default:
		s.link(home)
		s.follow(ctx)
	}
}

func (s *scope) link(up *scope) {
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

func (s *scope) unlink() {
	if s.followed() {
		s.unfollowed()
	}
	if s.up != nil {
		s.detach()
	}
}

// detach takes s out of its parent's list.
func (s *scope) detach() {
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

// follow cancels s when ctx, a context of somebody else's making, is done.
func (s *scope) follow(ctx context.Context) {
	if ctx.Err() != nil {
		s.cancel(reasonOf(ctx))
		return
	}
	l := s.loop
	l.outsiders++
	f := &follower{scope: s, ctx: ctx}
	s.more().follows = f
	if near := nearest(ctx); near != nil && near.loop == l {
		near.more().followers.add(f)
	}
	if l.sim != nil {
		f.stop = l.followInTurns(s, ctx)
		return
	}
	f.stop = context.AfterFunc(ctx, func() {
		l.post(func() {
			if s.followed() {
				s.unfollowed()
				s.cancel(reasonOf(ctx))
			}
		})
	})
}

func (s *scope) unfollowed() {
	e := s.extra.Load()
	f := e.follows
	e.follows = nil
	f.stop()
	if f.of != nil {
		f.of.remove(f)
	}
	s.loop.outsiders--
}

// cancel makes s and all below it done, and readies every task parked there. It
// says whether it did: a scope is cancelled once.
func (s *scope) cancel(r *reason) bool {
	if s.reason.Load() != nil {
		return false
	}
	s.reason.Store(r)
	s.tellOutside()
	if w := s.w; w != nil && w.where == s {
		w.wake(wokenCanceled)
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

func (s *scope) wakeGuests() {
	if e := s.extra.Load(); e != nil {
		for e.guests.first != nil {
			e.guests.first.wake(wokenCanceled)
		}
	}
}

// end closes the scope of a task that is over. What runs below it goes on,
// now directly below s.up; only who uses its ctx finds that done: other
// goroutines and guests.
func (s *scope) end() {
	for s.kids != nil {
		k, up := s.kids, s.up
		k.inherit(s)
		k.detach()
		k.link(up)
	}
	s.unlink()
	s.w = nil
	if s.reason.Load() == nil {
		s.reason.Store(reasonEnded)
		s.tellOutside()
		s.wakeGuests()
		s.tellFollowers()
	}
}

// close closes a scope that has a body, a Timeout's or a Group's: what still
// runs below it is cancelled, as by a std context's cancel function.
func (s *scope) close() {
	s.cancel(reasonEnded)
	s.unlink()
	s.w = nil
}

// awaitErr returns what an await under s, which is done, returns. When an
// enclosing scope is done too, its reason wins over that of the inner one.
func (s *scope) awaitErr() error {
	r := s.reason.Load()
	for up := s.up; up != nil; up = up.up {
		if o := up.reason.Load(); o != nil {
			r = o
		}
	}
	return r.await
}

// outerErr returns what an await around s returns if that is done, and else nil,
// whatever s is.
func (s *scope) outerErr() error {
	if s.parent.Err() == nil {
		return nil
	}
	r := reasonOf(s.parent)
	for up := s.up; up != nil; up = up.up {
		if o := up.reason.Load(); o != nil {
			r = o
		}
	}
	return r.await
}

// The methods of context.Context, which any goroutine may call.

func (s *scope) Err() error {
	if r := s.reason.Load(); r != nil {
		return r.err
	}
	return nil
}

func (s *scope) Value(key any) any {
	for key != scopeKey {
		if key == cancelKey {
			return s.std()
		}
		p, ok := s.parent.(*scope)
		if !ok {
			if key == labelKey {
				s.loop.labelled.Store(true)
			}
			return s.parent.Value(key)
		}
		s = p
	}
	return s
}

func (s *scope) Deadline() (time.Time, bool) {
	d, ok := s.parent.Deadline()
	if e := s.extra.Load(); e != nil {
		until := e.until.Load()
		if until == 0 {
			return d, ok
		}
		if own := s.loop.wallOf(until, s); !ok || own.Before(d) {
			return own, true
		}
	}
	return d, ok
}

func (s *scope) Done() <-chan struct{} {
	o := s.watched()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done == nil {
		o.stem = s.grow()
		o.done = o.stem.std.Done()
		if o.ended {
			o.stem.end()
		}
	}
	return o.done
}

// std returns the standard library's context that is done when s is.
func (s *scope) std() context.Context {
	s.Done()
	return s.extra.Load().outside.Load().stem.std
}

// AfterFunc is the method that the standard library's context package looks
// for when it derives a context and finds no context of its own (see cancelKey):
// with it no goroutine is needed to pass a cancellation on. f is called on the
// loop's thread, or, if the scope is done already, on a goroutine of its own, and
// must not block; use [context.AfterFunc], which starts a goroutine, for all else.
func (s *scope) AfterFunc(f func()) (stop func() bool) {
	o := s.watched()
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		go f() // not here: package context holds the lock that its f takes
		return func() bool { return false }
	}
	e := o.funcs.PushBack(f)
	o.mu.Unlock()
	return func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.ended || e == nil {
			return false
		}
		o.funcs.Remove(e)
		e = nil
		return true
	}
}

// outside is what a scope owes to other goroutines: a channel to be closed,
// functions to be called. Most scopes never need one.
type outside struct {
	mu    sync.Mutex
	done  <-chan struct{}
	stem  *stem // has done
	funcs list.List
	ended bool
}

// watched returns the scope's outside, made when first asked for. The order of
// its store and the load of reason matters: cancel stores the reason first and
// then looks for an outside, so one of the two sees the other.
func (s *scope) watched() *outside {
	e := s.more()
	o := e.outside.Load()
	if o == nil {
		o = new(outside)
		if !e.outside.CompareAndSwap(nil, o) {
			o = e.outside.Load()
		}
	}
	if s.reason.Load() != nil {
		o.end()
	}
	return o
}

// tellOutside lets other goroutines know that the scope, which has its reason by
// now, is done.
func (s *scope) tellOutside() {
	if e := s.extra.Load(); e != nil {
		if o := e.outside.Load(); o != nil {
			o.end()
		}
	}
}

func (o *outside) end() {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	o.ended = true
	stem := o.stem
	o.mu.Unlock()
	if stem != nil {
		stem.end()
	}
	for e := o.funcs.Front(); e != nil; e = e.Next() { // no one else touches it once ended
		e.Value.(func())()
	}
}

// A guestList is the tasks parked under a scope that another one executes, as
// happens when a task uses a ctx of its maker's: longest-parked first.
type guestList struct{ first, last *worker }

func (g *guestList) add(w *worker) {
	w.guestOf, w.nextGuest, w.prevGuest = g, nil, g.last
	if g.last != nil {
		g.last.nextGuest = w
	} else {
		g.first = w
	}
	g.last = w
}

func (g *guestList) remove(w *worker) {
	if w.prevGuest != nil {
		w.prevGuest.nextGuest = w.nextGuest
	} else {
		g.first = w.nextGuest
	}
	if w.nextGuest != nil {
		w.nextGuest.prevGuest = w.prevGuest
	} else {
		g.last = w.prevGuest
	}
	w.guestOf, w.nextGuest, w.prevGuest = nil, nil, nil
}

func (s *scope) check() string {
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
