package core

import (
	"context"
)

// A follower cancels a scope when a foreign context is done.
type follower struct {
	scope      *Scope
	ctx        context.Context
	stop       func() bool // ends the context's side of it
	of         *followers  // nil if ctx is derived from no scope of the loop
	next, prev *follower
}

// followers are the scopes that follow contexts derived from one scope, in the
// order in which they began to. When that scope is done, package context
// cancels those contexts in an order that changes from run to run. So the scope
// cancels its followers itself, in order.
type followers struct{ first, last *follower }

func (l *followers) add(f *follower) {
	f.of, f.prev = l, l.last
	if l.last != nil {
		l.last.next = f
	} else {
		l.first = f
	}
	l.last = f
}

func (l *followers) remove(f *follower) {
	if f.next != nil {
		f.next.prev = f.prev
	} else {
		l.last = f.prev
	}
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		l.first = f.next
	}
	f.of, f.next, f.prev = nil, nil, nil
}

// tellFollowers cancels, in order, the followers whose contexts are done.
func (s *Scope) tellFollowers() {
	e := s.extra.Load()
	if e == nil {
		return
	}
	for f := e.followers.first; f != nil; {
		next := f.next
		if err := f.ctx.Err(); err != nil {
			f.scope.unfollowed()
			f.scope.cancel(f.scope.loop.reasonOf(f.ctx))
		}
		f = next
	}
}

// Follow cancels s when ctx, a foreign context, is done.
func (s *Scope) Follow(ctx context.Context) {
	if ctx.Err() != nil {
		s.cancel(s.loop.reasonOf(ctx))
		return
	}
	l := s.loop
	l.outsiders++
	f := &follower{scope: s, ctx: ctx}
	s.more().follows = f
	if near := Nearest(ctx); near != nil && near.loop == l {
		near.more().followers.add(f)
	}
	if l.sim != nil {
		f.stop = l.followInTurns(s, ctx)
		return
	}
	f.stop = context.AfterFunc(ctx, func() {
		l.Post(func() {
			if s.followed() {
				s.unfollowed()
				s.cancel(s.loop.reasonOf(ctx))
			}
		})
	})
}

func (s *Scope) unfollowed() {
	e := s.extra.Load()
	f := e.follows
	e.follows = nil
	f.stop()
	if f.of != nil {
		f.of.remove(f)
	}
	s.loop.outsiders--
}

// followed reports whether a foreign context can cancel s.
func (s *Scope) followed() bool {
	e := s.extra.Load()
	return e != nil && e.follows != nil
}
