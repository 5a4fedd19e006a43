package coro

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

func blowUp(v any) { panic(v) }

// fuse yields 1 and then panics with v.
func fuse(v any) *Generator[int, int, string] {
	return New(func(y *Yielder[int, int]) (string, error) {
		y.Yield(1)
		blowUp(v)
		return "", nil
	})
}

func TestPanicComesOutOfEachCall(t *testing.T) {
	type gen = *Generator[int, int, string]
	for name, drive := range map[string]func(g gen){
		"next":  func(g gen) { g.Next() },
		"send":  func(g gen) { g.Send(1) },
		"throw": func(g gen) { g.Throw(errBoom) },
		"close": func(g gen) { g.Close() },
		"range": func(g gen) {
			for range g.All() {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			g := fuse(errBoom)
			g.Next()
			p, _ := panicOf(func() { drive(g) }).(*PanicError)
			if p == nil {
				t.Fatal("no PanicError")
			}
			if p.Value != error(errBoom) || !errors.Is(p, errBoom) {
				t.Errorf("value %v", p.Value)
			}
			if !strings.Contains(string(p.Stack), "coro.blowUp") || strings.Contains(string(p.Stack), "panicOf") {
				t.Errorf("not the body's own stack:\n%s", p.Stack)
			}
			if text := p.Error(); !strings.Contains(text, "boom") || !strings.Contains(text, "coro.blowUp") {
				t.Errorf("text:\n%s", text)
			}
			if _, err := g.Next(); err != ErrStop {
				t.Errorf("afterwards: %v", err)
			}
			if err := check(g); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPanicWithNoError(t *testing.T) {
	noLeaks(t)
	g := fuse("plain")
	g.Next()
	p := panicOf(func() { g.Next() }).(*PanicError)
	if p.Value != "plain" || p.Unwrap() != nil {
		t.Errorf("value %v, unwraps to %v", p.Value, p.Unwrap())
	}
}

// Through a second generator the value is unchanged, and both stacks are shown.
func TestPanicThroughTwo(t *testing.T) {
	noLeaks(t)
	inner := fuse("deep")
	outer := New(func(y *Yielder[int, int]) (string, error) { return outerBody(y, inner) })
	outer.Next()
	p := panicOf(func() { outer.Next() }).(*PanicError)
	stack := string(p.Stack)
	in, out := strings.Index(stack, "coro.blowUp"), strings.Index(stack, "coro.outerBody")
	if p.Value != "deep" || in < 0 || out < in {
		t.Errorf("value %v, inner at %d, outer at %d of\n%s", p.Value, in, out, stack)
	}
}

func outerBody(y *Yielder[int, int], inner *Generator[int, int, string]) (string, error) {
	return From(y, inner)
}

// A body may recover itself.
func TestPanicRecoveredByTheBody(t *testing.T) {
	noLeaks(t)
	g := New(func(y *Yielder[int, int]) (s string, err error) {
		defer func() { recover(); y.Yield(2); s = "recovered" }()
		blowUp("boom")
		return "", nil
	})
	if v, err := g.Next(); v != 2 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	_, err := g.Next()
	if r, ok := err.(*Return[string]); !ok || r.Value != "recovered" {
		t.Errorf("ended with %v", err)
	}
}

// A Goexit in the body unwinds the driver too, including deferred calls, and
// the generator is over. The same holds through a second generator.
func TestGoexit(t *testing.T) {
	noLeaks(t)
	var unwound []string
	leaver := func() *Generator[int, int, string] {
		return New(func(y *Yielder[int, int]) (string, error) {
			defer func() { unwound = append(unwound, "body") }()
			y.Yield(1)
			runtime.Goexit()
			return "", nil
		})
	}
	elsewhere(func() {
		inner := leaver()
		outer := New(func(y *Yielder[int, int]) (string, error) {
			defer func() { unwound = append(unwound, "outer") }()
			return From(y, inner)
		})
		defer func() {
			unwound = append(unwound, "driver")
			for _, g := range []*Generator[int, int, string]{inner, outer} {
				if _, err := g.Next(); err != ErrStop {
					t.Errorf("afterwards: %v", err)
				}
				if err := check(g); err != nil {
					t.Error(err)
				}
			}
		}()
		outer.Next()
		outer.Next()
		t.Error("the Goexit did not reach the driver")
	})
	if got := strings.Join(unwound, " "); got != "body outer driver" {
		t.Errorf("unwound %s", got)
	}
}
