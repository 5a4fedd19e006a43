// Package gate answers: how does a goroutine wait for what another one does, if
// either may be in a bubble of testing/synctest? A channel that was made in a
// bubble can't be closed from outside of it: that is fatal to the process. A mutex
// can be unlocked from anywhere, so a gate is made of those.
package gate

import (
	"context"
	"sync"
	"sync/atomic"
)

// A Gate is closed until it is opened, once and for all. The zero Gate is closed.
// Its methods may be called from any goroutine. It must not be copied.
type Gate struct {
	mu    sync.Mutex
	open  bool
	first *sleeper // a list of those that wait; nil once the gate is open
}

// A sleeper is one call of Wait, which blocks on mu until somebody unlocks it.
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

// Open opens the gate and wakes all that wait. What was done before it is seen by
// them. Opening it again does nothing.
func (g *Gate) Open() {
	g.mu.Lock()
	g.open = true
	s := g.first
	g.first = nil
	g.mu.Unlock()
	for s != nil {
		next := s.next // nobody else changes the list of a gate that is open
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

// leave takes a sleeper that was woken out of the list, unless the gate is open.
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
