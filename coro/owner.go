package coro

import "sync/atomic"

// An owner records which root a generator belongs to: its maker's. Its methods
// may be called from any goroutine.
//
// Invariants: root is the strand of the root's own goroutine and does not
// change; last is root or the strand of a coroutine with the same root.
type owner struct {
	// last is the strand that used the generator last; its next use costs one
	// comparison. It is a strand and not a goroutine's number, which a
	// coroutine of another root may get later.
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

// used reports whether the calling goroutine used the generator last.
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
