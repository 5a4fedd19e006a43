package core

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Cause returns the cause of ctx's cancellation, or nil while ctx is not done.
func Cause(ctx context.Context) error {
	if s, ok := ctx.Value(scopeKey).(*Scope); ok {
		if r := s.doneFor(); r != nil && ctx.Err() == r.err {
			return r.cause
		}
	}
	return context.Cause(ctx)
}

// scopeKey is the key for a context's nearest scope.
var scopeKey any = new(int)

// IsScopeKey reports whether key is that for a context's nearest scope.
func IsScopeKey(key any) bool { return key == scopeKey }

// Nearest returns the nearest scope that ctx is derived from, or nil.
func Nearest(ctx context.Context) *Scope {
	if s, ok := ctx.(*Scope); ok {
		return s
	}
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(scopeKey).(*Scope)
	return s
}

// governs reports whether ctx, whose nearest scope is s, is done exactly when s
// is: ctx is s, or s with values added.
func (s *Scope) governs(ctx context.Context) bool {
	if c, ok := ctx.(*Scope); ok {
		return c == s
	}
	return ctx.Done() == s.Done()
}

// The methods of context.Context, which any goroutine may call.

func (s *Scope) Err() error {
	if r := s.doneFor(); r != nil {
		return r.err
	}
	return nil
}

func (s *Scope) Value(key any) any {
	for key != scopeKey {
		if key == cancelKey {
			return s.std()
		}
		if e := s.extra.Load(); e != nil {
			if v := e.note(key); v != nil {
				return v
			}
		}
		p, ok := s.parent.(*Scope)
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

func (s *Scope) Deadline() (time.Time, bool) {
	d, ok := s.parent.Deadline()
	if e := s.extra.Load(); e != nil {
		until := e.until.Load()
		if until == 0 {
			return d, ok
		}
		if own := s.loop.WallOf(until, s); !ok || own.Before(d) {
			return own, true
		}
	}
	return d, ok
}

func (s *Scope) Done() <-chan struct{} {
	o := s.watched()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.done == nil {
		o.stem = s.grow()
		o.done = o.stem.std.Done()
		if o.ended {
			o.stem.end()
		} else {
			o.arm(s)
		}
	}
	return o.done
}

// std returns a context of the standard library that is done when s is.
func (s *Scope) std() context.Context {
	s.Done()
	return s.extra.Load().outside.Load().stem.std
}

// AfterFunc is the method that the standard library's context package uses when
// it derives a context from one that is not its own (see cancelKey): with it no
// goroutine is needed to propagate a cancellation. f is called on the loop's
// thread, or, if the scope is done already or its deadline makes it so, on a
// goroutine of its own, and must not block. For other purposes use
// [context.AfterFunc], which starts a goroutine.
func (s *Scope) AfterFunc(f func()) (stop func() bool) {
	o := s.watched()
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		go f() // on a goroutine, because package context holds the lock that f takes
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

// outside is the part of a scope that serves other goroutines: a channel to
// close and functions to call. Most scopes never need one.
type outside struct {
	mu    sync.Mutex
	done  <-chan struct{}
	stem  *stem // has the Done channel
	funcs list.List
	ended bool
	timer *time.Timer            // of the deadline; see arm
	early atomic.Pointer[reason] // set when that timer has fired
}

// watched returns the scope's outside, which the first call makes. The order of
// its store and the load of reason matters: cancel stores the reason first and
// then loads outside, so one of the two sees the other.
func (s *Scope) watched() *outside {
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

// tellOutside notifies other goroutines that the scope, whose reason is set, is
// done.
func (s *Scope) tellOutside() {
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
	if o.timer != nil {
		o.timer.Stop()
	}
	stem := o.stem
	o.mu.Unlock()
	if stem != nil {
		stem.end()
	}
	for e := o.funcs.Front(); e != nil; e = e.Next() { // nothing else uses it after ended is set
		e.Value.(func())()
	}
}

// Under returns the nearest scope that ctx is derived from. It panics if there
// is none, with a message that op was called outside a task.
func Under(ctx context.Context, op string) *Scope {
	s := Nearest(ctx)
	if s == nil {
		panic("reactor: " + op + " outside a task: pass the ctx that a task's function receives (see reactor.Run)")
	}
	return s
}
