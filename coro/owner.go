package coro

import "sync/atomic"

// An owner knows whose a generator is: its maker's root's. Its methods may be
// called from any goroutine.
//
// Invariants: root is the strand of the root's own goroutine and does not
// change; last is it or that of a coroutine with the same root.
type owner struct {
	// last used the generator last, so its next use costs one compare. It is a
	// strand and not a number, as a coroutine of another root may inherit that.
	last atomic.Pointer[strand]
	root strand
}

// init makes the calling goroutine's root the owner.
func (o *owner) init() {
	root, st := lookup(Self())
	o.root.root = root
	o.root.self.Store(root)
	if st == nil {
		st = &o.root
	}
	o.last.Store(st)
}

// used reports whether the calling goroutine is the one that used it last.
func (o *owner) used() bool {
	return o.last.Load().current()
}

// admits reports whether the calling goroutine has the owner's root.
func (o *owner) admits() bool {
	if o.used() {
		return true
	}
	root, st := lookup(Self())
	if root != o.root.root {
		return false
	}
	if st == nil {
		st = &o.root
	}
	o.last.Store(st)
	return true
}
