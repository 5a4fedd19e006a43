package coro

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
)

var errBoom = errors.New("boom")

// echo yields 1, 2, 3 … and returns "end" when sent 99, or what is thrown.
func echo() *Generator[int, int, string] {
	return New(func(y *Yielder[int, int]) (string, error) {
		for i := 1; ; i++ {
			switch s, err := y.Yield(i); {
			case err != nil:
				return "", err
			case s == 99:
				return "end", nil
			}
		}
	})
}

// checkErr checks that err is want, or wraps it.
func checkErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

// Every call in every state: its result and the state after it.
func TestEveryCallInEveryState(t *testing.T) {
	type gen = *Generator[int, int, string]
	calls := map[string]func(g gen) (int, error){
		"next":  gen.Next,
		"send":  func(g gen) (int, error) { return g.Send(5) },
		"throw": func(g gen) (int, error) { return g.Throw(errBoom) },
		"nil":   func(g gen) (int, error) { return g.Throw(nil) },
		"close": func(g gen) (int, error) { return 0, g.Close() },
	}
	states := map[string]func() gen{
		"fresh":     echo,
		"suspended": func() gen { g := echo(); g.Next(); return g },
		"finished":  func() gen { g := echo(); g.Next(); g.Send(99); return g },
		"failed":    func() gen { g := echo(); g.Next(); g.Throw(errBoom); return g },
		"closed":    func() gen { g := echo(); g.Next(); g.Close(); return g },
		"unstarted": func() gen { g := echo(); g.Close(); return g },
	}
	over := map[string]error{"next": ErrStop, "send": ErrStop, "throw": errBoom, "nil": errNilThrow, "close": nil}
	type outcome struct {
		v     int
		err   error
		after State
	}
	want := map[string]map[string]outcome{
		"fresh": {
			"next":  {1, nil, Suspended},
			"send":  {0, ErrNotStarted, Created},
			"throw": {0, errBoom, Closed},
			"nil":   {0, errNilThrow, Created},
			"close": {0, nil, Closed},
		},
		"suspended": {
			"next":  {2, nil, Suspended},
			"send":  {2, nil, Suspended},
			"throw": {0, errBoom, Closed},
			"nil":   {0, errNilThrow, Suspended},
			"close": {0, nil, Closed},
		},
	}
	for _, state := range []string{"finished", "failed", "closed", "unstarted"} {
		want[state] = map[string]outcome{}
		for call, err := range over {
			want[state][call] = outcome{0, err, Closed}
		}
	}
	for state, make := range states {
		for call, do := range calls {
			t.Run(state+"/"+call, func(t *testing.T) {
				noLeaks(t)
				g, w := make(), want[state][call]
				v, err := do(g)
				if v != w.v || g.State() != w.after {
					t.Errorf("value %d and then %v, want %d and %v", v, g.State(), w.v, w.after)
				}
				checkErr(t, call, err, w.err)
				if err := check(g); err != nil {
					t.Error(err)
				}
				checkErr(t, "close", g.Close(), nil)
				_, err = g.Next()
				if err != ErrStop {
					t.Errorf("next after close: %v", err)
				}
			})
		}
	}
}

// The state that the table above cannot set up: running. The body goes on after
// the error, and so does a generator in between.
func TestEveryCallWhileRunning(t *testing.T) {
	noLeaks(t)
	var g *Generator[int, int, string]
	attempt := func() {
		_, next := g.Next()
		_, send := g.Send(1)
		_, throw := g.Throw(errBoom)
		_, from := From(&g.y, g)
		for _, err := range []error{next, send, throw, g.Close(), from} {
			if err != ErrRunning {
				t.Errorf("error %v", err)
			}
		}
		for _, err := range g.All() {
			if err != ErrRunning {
				t.Errorf("ranging: error %v", err)
			}
		}
		if g.State() != Running {
			t.Errorf("state %v", g.State())
		}
	}
	g = New(func(y *Yielder[int, int]) (string, error) {
		attempt()
		y.Yield(1)
		between := New(func(*Yielder[int, int]) (string, error) {
			if _, err := g.Next(); err != ErrRunning {
				t.Errorf("through another: %v", err)
			}
			return "", nil
		})
		between.Next()
		attempt()
		return "end", nil
	})
	g.Next()
	if _, err := g.Next(); !errors.Is(err, ErrStop) {
		t.Errorf("ended with %v", err)
	}
}

// The result is returned once.
func TestReturn(t *testing.T) {
	noLeaks(t)
	g := echo()
	g.Next()
	_, err := g.Send(99)
	var r *Return[string]
	if !errors.As(err, &r) || r.Value != "end" || !errors.Is(err, ErrStop) {
		t.Errorf("ended with %v", err)
	}
	if _, err := g.Next(); err != ErrStop {
		t.Errorf("and then %v", err)
	}
}

// The body's error is returned once, by the call that drove it, and a sent
// value, or a thrown error, is returned by one Yield.
func TestBodySees(t *testing.T) {
	noLeaks(t)
	type seen struct {
		s   int
		err error
	}
	var saw []seen
	g := New(func(y *Yielder[int, int]) (string, error) {
		for range 5 {
			s, err := y.Yield(len(saw))
			saw = append(saw, seen{s, err})
		}
		return "", errBoom
	})
	other := errors.New("other")
	g.Next()
	g.Send(7)
	g.Next()
	if v, err := g.Throw(other); v != 3 || err != nil {
		t.Errorf("throw, swallowed: %d, %v", v, err)
	}
	g.Next()
	_, err := g.Send(8)
	if err != errBoom {
		t.Errorf("ended with %v", err)
	}
	if _, err := g.Next(); err != ErrStop {
		t.Errorf("and then %v", err)
	}
	want := []seen{{7, nil}, {0, nil}, {0, other}, {0, nil}, {8, nil}}
	for i, w := range want {
		if saw[i] != w {
			t.Errorf("Yield %d returned %v, want %v", i, saw[i], w)
		}
	}
}

func TestCloseOutcomes(t *testing.T) {
	for name, tc := range map[string]struct {
		returns func(err error) error
		want    error
	}{
		"the same": {func(err error) error { return err }, nil},
		"wrapped":  {func(err error) error { return fmt.Errorf("cleanup: %w", err) }, nil},
		"nil":      {func(error) error { return nil }, nil},
		"other":    {func(error) error { return errBoom }, errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			g := New(func(y *Yielder[int, int]) (string, error) {
				_, err := y.Yield(1)
				if !errors.Is(err, ErrClosed) {
					t.Errorf("Yield returned %v", err)
				}
				return "", tc.returns(err)
			})
			g.Next()
			checkErr(t, "close", g.Close(), tc.want)
			checkErr(t, "close again", g.Close(), nil)
			if err := check(g); err != nil {
				t.Error(err)
			}
		})
	}
}

// A body that yields when it should end stays suspended and can be driven.
func TestIgnoredClose(t *testing.T) {
	noLeaks(t)
	g := New(func(y *Yielder[int, int]) (string, error) {
		for i := 1; i <= 3; i++ {
			y.Yield(i)
		}
		return "end", nil
	})
	g.Next()
	checkErr(t, "close", g.Close(), ErrIgnoredClose)
	if g.State() != Suspended {
		t.Errorf("left %v", g.State())
	}
	if v, err := g.Next(); v != 3 || err != nil {
		t.Errorf("next: %d, %v", v, err)
	}
	checkErr(t, "close", g.Close(), nil)
	if g.State() != Closed {
		t.Errorf("left %v", g.State())
	}
}

// The end of another generator, returned by a body as its error, must not look
// like the body's own end (PEP 479).
func TestStrayStop(t *testing.T) {
	noLeaks(t)
	for _, stray := range []error{ErrStop, &Return[string]{"inner"}, errors.Join(errBoom, ErrStop)} {
		g := New(func(y *Yielder[int, int]) (string, error) { return "", stray })
		if _, err := g.Next(); err == nil || errors.Is(err, ErrStop) {
			t.Errorf("a stray %v came out as %v", stray, err)
		}
		if _, err := g.Next(); err != ErrStop {
			t.Errorf("and then %v", err)
		}
	}
}

// A generator that has not started holds no goroutine, and one that was
// closed before it started never will.
func TestFreshHoldsNoGoroutine(t *testing.T) {
	noLeaks(t)
	before := testkit.Goroutines()
	gs := make([]*Generator[int, int, string], 100)
	for i := range gs {
		gs[i] = echo()
	}
	if n := testkit.Goroutines(); n > before {
		t.Errorf("%d goroutines for 100 generators that have not begun", n-before)
	}
	for _, g := range gs {
		g.Send(1)
		g.Close()
		g.Next()
	}
	if n := testkit.Goroutines(); n > before {
		t.Errorf("%d goroutines for 100 generators that never began", n-before)
	}
}

func TestNewWithoutBody(t *testing.T) {
	if panicOf(func() { New[int, int, int](nil) }) == nil {
		t.Error("no panic")
	}
}

func TestGeneratorAllocatesNothing(t *testing.T) {
	noLeaks(t)
	g := echo()
	defer g.Close()
	g.Next()
	self := testing.AllocsPerRun(100, func() { Self() }) // 0, but for purego
	if n := testing.AllocsPerRun(100, func() { g.Next(); g.Send(5) }); n != 4*self {
		t.Errorf("%v allocations for a Next and a Send, %v for a Self", n, self)
	}
}

// Locked to its thread or not, as long as it stays so.
func TestGeneratorOnLockedThread(t *testing.T) {
	noLeaks(t)
	g := echo() // made before the lock, started after
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 3 {
		if _, err := g.Next(); err != nil {
			t.Error(err)
		}
	}
	checkErr(t, "close", g.Close(), nil)
}

func TestStateString(t *testing.T) {
	want := []string{"unknown", "created", "running", "suspended", "closed"}
	for s, w := range want {
		if State(s).String() != w {
			t.Errorf("state %d is %q", s, State(s))
		}
	}
}
