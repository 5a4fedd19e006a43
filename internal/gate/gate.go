// Package gate answers: how does a goroutine wait for another one if either may
// be in a testing/synctest bubble? A channel made in a bubble must not be
// closed from outside it: that crashes the process. A mutex can be unlocked
// from anywhere, so gates use mutexes.
package gate

import (
	"context"
	"sync"
	"sync/atomic"
)

// A Gate is closed until it is opened, and then stays open. The zero Gate is
// closed. Its methods may be called from any goroutine. It must not be copied.
type Gate struct {
	mu    sync.Mutex
	open  bool
	first *sleeper // list of waiters; nil once the gate is open
}

// A sleeper is one call of Wait, which blocks on mu until Open unlocks it.
type sleeper struct {
	mu    sync.Mutex
	woken atomic.Bool
	next  *sleeper
}

func (s *sleeper) wake() {
	if s.woken.CompareAndSwap(false, true) {
		s.mu.Unlock()
	}
}

// Open opens the gate and wakes all waiters. What the caller did before Open is
// visible to them. Opening it again does nothing.
func (g *Gate) Open() {
	g.mu.Lock()
	g.open = true
	s := g.first
	g.first = nil
	g.mu.Unlock()
	for s != nil {
		next := s.next // the list of an open gate does not change
		s.wake()
		s = next
	}
}

// Wait blocks until the gate is open or ctx is done, and reports whether the gate
// is open.
func (g *Gate) Wait(ctx context.Context) bool {
	g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		return true
	}
	s := &sleeper{next: g.first}
	s.mu.Lock()
	g.first = s
	g.mu.Unlock()
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, s.wake)
		defer stop()
	}
	s.mu.Lock()
	return g.leave(s)
}

// leave removes s from the list, unless the gate is open, and reports whether
// it is.
func (g *Gate) leave(s *sleeper) (open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := &g.first; *p != nil; p = &(*p).next {
		if *p == s {
			*p = s.next
			break
		}
	}
	return g.open
}
