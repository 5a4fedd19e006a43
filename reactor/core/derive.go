package core

import (
	"context"
	"time"
)

// This file is how contexts of the standard library are derived from a scope
// without a goroutine for each, also where others have put values between: from
// context.WithValue(ctx, …), as every router makes one.
//
// Package context looks for a parent's method AfterFunc only in the parent itself.
// Through other contexts it finds one thing, a cancellable context of its own: by
// asking Value for a key that it keeps to itself, and comparing the Done channels. So a
// scope answers that key with such a context, which it has besides and which is
// done when the scope is, and has its Done channel from it. The key is found by
// deriving a context from a parent that notes what it is asked for.
//
// The standard library's contexts keep their children in a map, and so tell them
// in any order. Nothing that a loop does may depend on it: see followers.

// cancelKey is package context's key. If a later package context has none, it is a
// key that nobody asks for, and AfterFunc and goroutines do.
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

// neverDone is the Done channel of contexts that nobody waits for.
var neverDone = make(chan struct{})

// A probe is a context that notes how package context derives from it.
type probe struct {
	context.Context // nil
	done            <-chan struct{}
	answer          any
	key             any
	asked           bool // for AfterFunc
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

// A stem is the parent of the standard library's context that a scope has besides:
// the one that can make it done, with an error and a cause of the scope's choice.
type stem struct {
	scope *Scope
	std   context.Context
	told  func()
	free  func()
}

// grow gives s its stem. The caller has locked its outside.
func (s *Scope) grow() *stem {
	t := &stem{scope: s}
	t.std, t.free = context.WithCancel(t)
	return t
}

// end makes the stem's context done. The scope has its reason.
func (t *stem) end() {
	t.told()
	t.free()
}

func (t *stem) Deadline() (time.Time, bool) { return time.Time{}, false }

func (t *stem) Done() <-chan struct{} { return neverDone }

func (t *stem) Err() error { return t.scope.Err() }

// AfterFunc is called once, when the context is made: f is what ends it.
func (t *stem) AfterFunc(f func()) (stop func() bool) {
	t.told = f
	return func() bool { return true }
}

// Value is asked for the context that tells the cause.
func (t *stem) Value(key any) any {
	r := t.scope.doneFor()
	if key != cancelKey || r == nil || r.cause == nil || r.cause == r.err {
		return nil
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(r.cause)
	return ctx
}
