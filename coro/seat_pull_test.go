//go:build !coro_nested

package coro

import (
	"iter"
	"strings"
	"testing"
)

const nested = false

// Changes of iter.Pull within its contract that would break coroutines are
// detected before any coroutine is made.
func TestCheckSeat(t *testing.T) {
	if err := checkSeat(iter.Pull[struct{}]); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pull puller
		want string
	}{
		"yield is the body's own":  {ownYield, "does not let any goroutine pass control"},
		"next is the first caller": {ownNext, "does not let any goroutine pass control"},
		"next has no effect":       {lostNext, "does not let any goroutine"},
		"yield has no effect":      {lostYield, "does not let any goroutine"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkSeat(c.pull); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// ownYield is an iter.Pull whose yield checks its caller.
func ownYield(seq iter.Seq[struct{}]) (func() (struct{}, bool), func()) {
	return iter.Pull(func(yield func(struct{}) bool) {
		self := Self()
		seq(func(v struct{}) bool {
			if Self() != self {
				panic("yield on another goroutine")
			}
			return yield(v)
		})
	})
}

// ownNext is an iter.Pull whose next checks its caller.
func ownNext(seq iter.Seq[struct{}]) (func() (struct{}, bool), func()) {
	next, stop := iter.Pull(seq)
	var first uintptr
	return func() (struct{}, bool) {
		if first == 0 {
			first = Self()
		}
		if Self() != first {
			panic("next on another goroutine")
		}
		return next()
	}, stop
}

// lostNext is an iter.Pull whose next returns at once.
func lostNext(iter.Seq[struct{}]) (func() (struct{}, bool), func()) {
	return func() (struct{}, bool) { return struct{}{}, false }, nil
}

// lostYield is an iter.Pull whose yield returns at once.
func lostYield(seq iter.Seq[struct{}]) (func() (struct{}, bool), func()) {
	return iter.Pull(func(func(struct{}) bool) { seq(func(struct{}) bool { return true }) })
}
