package coro

import (
	"errors"
	"testing"
)

// upTo yields 1 to n and returns err. When it is closed it returns late.
func upTo(n int, err, late error) *Generator[int, int, string] {
	return New(func(y *Yielder[int, int]) (string, error) {
		for i := 1; i <= n; i++ {
			if _, stop := y.Yield(i); stop != nil {
				return "", late
			}
		}
		return "end", err
	})
}

func TestAllToTheEnd(t *testing.T) {
	noLeaks(t)
	for _, fail := range []error{nil, errBoom} {
		g := upTo(3, fail, nil)
		sum, errs := 0, 0
		for v, err := range g.All() {
			sum += v
			if err != nil {
				errs++
				checkErr(t, "last", err, errBoom)
			}
		}
		if sum != 6 || (errs == 1) != (fail != nil) || g.State() != Closed {
			t.Errorf("sum %d, %d errors, left %v", sum, errs, g.State())
		}
		for range g.All() {
			t.Error("a second loop over it has something left")
		}
	}
}

// Leaving a loop early, in any way, closes the generator; the next Close
// returns the error.
func TestAllLeftEarly(t *testing.T) {
	noLeaks(t)
	leave := map[string]func(g *Generator[int, int, string]){
		"break": func(g *Generator[int, int, string]) {
			for range g.All() {
				break
			}
		},
		"return": func(g *Generator[int, int, string]) {
			for range g.All() {
				return
			}
		},
		"panic": func(g *Generator[int, int, string]) {
			panicOf(func() {
				for range g.All() {
					panic("out")
				}
			})
		},
	}
	for name, loop := range leave {
		for _, late := range []error{nil, ErrClosed, errBoom} {
			g := upTo(3, nil, late)
			loop(g)
			if g.State() != Closed {
				t.Errorf("%s left it %v", name, g.State())
			}
			want := late
			if errors.Is(late, ErrClosed) {
				want = nil
			}
			checkErr(t, name+", close", g.Close(), want)
			checkErr(t, name+", close again", g.Close(), nil)
		}
	}
}

// A loop that closes its generator ends.
func TestAllClosedInside(t *testing.T) {
	noLeaks(t)
	g, n := upTo(3, nil, nil), 0
	for range g.All() {
		n++
		g.Close()
	}
	if n != 1 {
		t.Errorf("%d turns", n)
	}
}

// A body that ignores the close after an early exit is left suspended, and the
// next Close returns that error; nothing of it is kept once the generator is
// over.
func TestAllLeftIgnored(t *testing.T) {
	noLeaks(t)
	g := New(func(y *Yielder[int, int]) (string, error) {
		for i := 1; i <= 3; i++ {
			y.Yield(i)
		}
		return "", nil
	})
	for range g.All() {
		break
	}
	if g.State() != Suspended {
		t.Errorf("left %v", g.State())
	}
	checkErr(t, "close", g.Close(), ErrIgnoredClose)
	checkErr(t, "close again", g.Close(), nil)
	checkErr(t, "close once more", g.Close(), nil)
}
