//go:build coro_nested

package coro

import (
	"iter"
	"runtime"
	"sync"
)

// With the build tag coro_nested, control passes within iter.Pull's contract:
// only the root's goroutine calls next, only a coroutine's own goroutine calls
// yield. A coroutine that wakes another one names it and yields to the root,
// which waits in [hand.passTo] and calls that one's next. So each Switch costs
// two of the runtime's switches and a lookup of the caller; and a coroutine
// can't be suspended inside an iter.Pull of the user's, which would have to
// yield first.

// A hand is the means to wake a coroutine's goroutine. The root's is nil.
//
// Invariants:
//   - its goroutine runs, or sleeps in exactly one seat;
//   - wanted is the hand that it passed control to when it last yielded;
//   - dead are hands in runtime.Goexit that passed the Goexit to it; they sleep
//     in no seat.
type hand struct {
	next   func() (struct{}, bool) // lets it run; only the root's goroutine calls it
	yield  func(struct{}) bool
	wanted *hand
	exit   bool // a runtime.Goexit of the seat's own goroutine woke it
	panics any  // likewise, by a panic with this value
	dead   []*hand
}

// hands holds the hand of every strand whose goroutine has not ended.
var hands sync.Map // of *strand to *hand

// begin makes the goroutine that runs body, asleep in c's home. The seat's next
// and yield, which are the same here, share a variable that holds the sleeper.
func (c *Coroutine) begin(st *strand, body func()) {
	h := new(hand)
	asleep := h
	exchange := func() {
		me := caller(st.root)
		who := asleep
		asleep = me
		me.passTo(who)
	}
	c.home.next = func() (struct{}, bool) { exchange(); return struct{}{}, true }
	c.home.yield = func(struct{}) bool { exchange(); return true }
	hands.Store(st, h)
	h.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		h.yield = yield
		c.at = nil
		st.enter()
		returned := false
		defer func() {
			p := recover()
			st.leave()
			hands.Delete(st)
			if asleep != nil && !returned {
				if p == nil {
					h.exitFor(asleep)
				}
				asleep.panics = p
			} else if p != nil {
				panic(p)
			}
			h.wanted = asleep
		}()
		body()
		returned = true
	})
}

// caller returns the hand of the calling goroutine, which must have this root.
func caller(root uintptr) *hand {
	self := Self()
	if _, st := lookup(self); st != nil {
		h, _ := hands.Load(st)
		return h.(*hand)
	}
	if self != root {
		panic("coro: a coroutine can't be suspended inside an iter.Pull that is not package coro's, built with the tag coro_nested: use a Generator there")
	}
	return nil
}

// passTo passes control to another goroutine, and returns when h gets it back.
func (h *hand) passTo(who *hand) {
	if h == nil {
		defer func() { bury(who) }() // who is not nil only after a runtime.Goexit or a panic
		for who != nil {
			who.next()
			who = who.wanted
		}
		return
	}
	h.wanted = who
	h.yield(struct{}{})
	if h.exit {
		h.exit = false
		runtime.Goexit()
	}
	if p := h.panics; p != nil {
		h.panics = nil
		panic(p)
	}
}

// exitFor makes another goroutine call runtime.Goexit, as iter.Pull does for
// the goroutine that sleeps in the seat of one that exits. h's own can't end
// yet: iter.Pull would make the root exit at once. By the time it does end, the
// other goroutine has decided whether the root exits.
func (h *hand) exitFor(other *hand) {
	other.exit = true
	other.dead = append(append(other.dead, h.dead...), h)
	h.passTo(other)
	Exit()
}

// bury ends the goroutines whose runtime.Goexit has been passed on as far as to last,
// which has ended. The caller is the root's goroutine.
func bury(last *hand) {
	if last == nil {
		return
	}
	for _, d := range last.dead {
		d.bury()
	}
	last.dead = nil
}

func (h *hand) bury() {
	defer func() {
		if r := recover(); r != nil && r != (exit{}) {
			panic(r)
		}
	}()
	h.next()
}
