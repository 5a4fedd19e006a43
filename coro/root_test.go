package coro

import (
	"runtime"
	"testing"
)

// All coroutines that descend from one goroutine have its root, at any depth.
func TestRoot(t *testing.T) {
	noLeaks(t)
	me := Self()
	if Root() != me {
		t.Fatalf("root %#x of plain goroutine %#x", Root(), me)
	}
	var host, outer, inner Coroutine
	outer.Init(func() {
		inner.Init(func() {
			if Self() == me || Root() != me {
				t.Errorf("inner: self %#x, root %#x, host %#x", Self(), Root(), me)
			}
		})
		outer.Switch(&inner)
		if Self() == me || Root() != me {
			t.Errorf("outer: self %#x, root %#x, host %#x", Self(), Root(), me)
		}
	})
	host.Switch(&outer)
	elsewhere(func() {
		if Root() == me || Root() != Self() {
			t.Errorf("elsewhere: self %#x, root %#x, host %#x", Self(), Root(), me)
		}
	})
}

// The root is the maker's, not the first driver's.
func TestRootIsTheMakers(t *testing.T) {
	if nested {
		t.Skip("only its root may drive a coroutine")
	}
	noLeaks(t)
	var c Coroutine
	root := uintptr(1)
	var maker uintptr
	elsewhere(func() {
		maker = Root()
		c.Init(func() { root = Root() })
	})
	new(Coroutine).Switch(&c)
	if root != maker {
		t.Errorf("root %#x, maker %#x", root, maker)
	}
}

// A strand whose goroutine has ended is not found, even by a goroutine with the
// same number.
func TestStrandLeaves(t *testing.T) {
	noLeaks(t)
	st := &strand{root: 7}
	st.enter()
	if root, found := lookup(Self()); !st.current() || found != st || root != 7 {
		t.Error("entered, and not found")
	}
	st.leave()
	if _, found := lookup(Self()); st.current() || found != nil {
		t.Error("left, and still found")
	}
}

// However a body ends, its strand is removed: noLeaks checks that.
func TestStrandLeavesOnPanicAndGoexit(t *testing.T) {
	noLeaks(t)
	var host, c Coroutine
	c.Init(func() { panic("boom") })
	if v := panicOf(func() { host.Switch(&c) }); v != "boom" {
		t.Errorf("panicked with %v", v)
	}
	if st := c.strand; st.self.Load() != 0 {
		t.Error("panicked, and did not leave")
	}
	var exited *strand
	elsewhere(func() {
		var host, c Coroutine
		c.Init(func() { runtime.Goexit() })
		exited = c.strand
		host.Switch(&c)
		t.Error("the Goexit did not reach the host")
	})
	if exited.self.Load() != 0 {
		t.Error("exited, and did not leave")
	}
}

// elsewhere runs f on another goroutine and waits for its end.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
