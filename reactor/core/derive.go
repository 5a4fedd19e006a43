package core

import (
	"context"
	"time"
)

// This file lets contexts of the standard library be derived from a scope
// without a goroutine for each, also through other contexts such as
// context.WithValue(ctx, …), which every router makes.
//
// Package context uses a parent's method AfterFunc only if the parent itself
// has it. Through other contexts it finds only a cancellable context of its
// own, by calling Value with a private key and comparing Done channels. So a
// scope has such a context in addition, which is done when the scope is,
// returns it for that key, and shares its Done channel. The key is found by
// deriving a context from a parent that records the keys passed to Value.
//
// The standard library's contexts keep their children in a map, and so cancel
// them in random order. A loop must not depend on it: see followers.

// cancelKey is package context's key. If a later version has none, cancelKey is
// never looked up, and AfterFunc and goroutines are used instead.
var cancelKey = findCancelKey()

func findCancelKey() any {
	own := any(new(int))
	p := &probe{done: neverDone}
	_, cancel := context.WithCancel(p)
	cancel()
	if p.key == nil || p.key == scopeKey {
		return own
	}
	std, cancelStd := context.WithCancel(context.Background())
	q := &probe{done: std.Done(), answer: std}
	derived, cancel := context.WithCancel(q)
	defer cancel()
	cancelStd()
	if q.asked || derived.Err() == nil {
		return own
	}
	return p.key
}

// neverDone is the Done channel of contexts that are never waited for.
var neverDone = make(chan struct{})

// A probe is a context that records how package context derives from it.
type probe struct {
	context.Context // nil
	done            <-chan struct{}
	answer          any
	key             any
	asked           bool // AfterFunc was called
}

func (p *probe) Done() <-chan struct{} { return p.done }

func (p *probe) Err() error { return nil }

func (p *probe) Value(key any) any {
	p.key = key
	return p.answer
}

func (p *probe) AfterFunc(func()) (stop func() bool) {
	p.asked = true
	return func() bool { return true }
}

// A stem is the parent of a scope's additional standard library context. It can
// make that done, with an error and a cause that the scope chooses.
type stem struct {
	scope *Scope
	std   context.Context
	told  func()
	free  func()
}

// grow makes the stem of s. The caller holds the lock of s's outside.
func (s *Scope) grow() *stem {
	t := &stem{scope: s}
	t.std, t.free = context.WithCancel(t)
	return t
}

// end makes the stem's context done. The scope's reason must be set.
func (t *stem) end() {
	t.told()
	t.free()
}

func (t *stem) Deadline() (time.Time, bool) { return time.Time{}, false }

func (t *stem) Done() <-chan struct{} { return neverDone }

func (t *stem) Err() error { return t.scope.Err() }

// AfterFunc is called once, when the context is made, with the function that
// ends the context.
func (t *stem) AfterFunc(f func()) (stop func() bool) {
	t.told = f
	return func() bool { return true }
}

// Value returns the context that has the cause.
func (t *stem) Value(key any) any {
	r := t.scope.doneFor()
	if key != cancelKey || r == nil || r.cause == nil || r.cause == r.err {
		return nil
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(r.cause)
	return ctx
}
