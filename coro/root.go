package coro

import (
	"sync"
	"sync/atomic"
)

// A strand records which goroutine runs a coroutine's body and from which root
// that goroutine descends.
//
// Invariants:
//   - self is the goroutine's [Self] while it runs the body, and else 0, so
//     that a later goroutine with the same number is not mistaken for it;
//   - root never changes once another goroutine can see the strand.
type strand struct {
	self atomic.Uintptr
	root uintptr
}

// strands holds the strand of every coroutine whose body has begun and not
// ended, by its self. It is a map under a Mutex, because entries come and go
// with each coroutine but are seldom looked up: that adds least to a
// coroutine's life (33 ns, against 56 for an RWMutex and 69, with an
// allocation, for a sync.Map).
var strands = struct {
	sync.Mutex
	of map[uintptr]*strand
}{of: make(map[uintptr]*strand)}

// Root returns the identity of the logical thread that the calling goroutine
// belongs to: the [Self] of the first goroutine, not itself a coroutine, in the
// chain of makers of the calling coroutine. Coroutines with the same root run
// one at a time, so state that belongs to a root needs no lock. For a goroutine
// that is not the body of a [Coroutine], including one inside an [iter.Pull] of
// other code, it is Self().
//
// It may be called from any goroutine. It costs about 15 ns.
func Root() uintptr {
	root, _ := lookup(Self())
	return root
}

// lookup returns the root of the goroutine self, and its strand if it is a
// coroutine.
func lookup(self uintptr) (uintptr, *strand) {
	strands.Lock()
	st := strands.of[self]
	strands.Unlock()
	if st == nil {
		return self, nil
	}
	return st.root, st
}

// enter makes the calling goroutine st's.
func (st *strand) enter() {
	self := Self()
	st.self.Store(self)
	strands.Lock()
	strands.of[self] = st
	strands.Unlock()
}

// leave undoes enter. It must run before the goroutine ends.
func (st *strand) leave() {
	self := st.self.Swap(0)
	strands.Lock()
	delete(strands.of, self)
	strands.Unlock()
}

// current reports whether the calling goroutine is st's.
func (st *strand) current() bool { return st.self.Load() == Self() }
