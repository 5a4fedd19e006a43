package coro

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// delegate returns a generator that logs what it gets from inner, yields -1
// after it and returns "outer".
func delegate(inner *Generator[int, int, string], log *[]string) *Generator[int, int, string] {
	return New(func(y *Yielder[int, int]) (string, error) {
		r, err := From(y, inner)
		*log = append(*log, fmt.Sprintf("%q, %v", r, err))
		if errors.Is(err, ErrClosed) {
			return "", err
		}
		s, err := y.Yield(-1)
		*log = append(*log, fmt.Sprintf("%d, %v", s, err))
		return "outer", err
	})
}

func TestFromForwards(t *testing.T) {
	type gen = *Generator[int, int, string]
	other := errors.New("other")
	swallow := func() gen {
		return New(func(y *Yielder[int, int]) (string, error) {
			_, err := y.Yield(1)
			return fmt.Sprint("swallowed ", err), nil
		})
	}
	for name, tc := range map[string]struct {
		inner func() gen
		drive func(g gen) (int, error)
		v     int
		err   error
		log   []string
	}{
		"next":             {echo, gen.Next, 2, nil, nil},
		"send":             {echo, func(g gen) (int, error) { return g.Send(5) }, 2, nil, nil},
		"send to the end":  {echo, func(g gen) (int, error) { return g.Send(99) }, -1, nil, []string{`"end", <nil>`}},
		"throw":            {echo, func(g gen) (int, error) { return g.Throw(errBoom) }, -1, nil, []string{`"", boom`}},
		"throw, swallowed": {swallow, func(g gen) (int, error) { return g.Throw(errBoom) }, -1, nil, []string{`"swallowed boom", <nil>`}},
		"close":            {echo, func(g gen) (int, error) { return 0, g.Close() }, 0, nil, []string{`"", coro: generator is being closed`}},
		"close, swallowed": {swallow, func(g gen) (int, error) { return 0, g.Close() }, 0, nil, []string{`"", coro: generator is being closed`}},
		"close, failing":   {func() gen { return upTo(3, nil, other) }, func(g gen) (int, error) { return 0, g.Close() }, 0, ErrIgnoredClose, []string{`"", other`}},
	} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			var log []string
			inner := tc.inner()
			outer := delegate(inner, &log)
			if v, err := outer.Next(); v != 1 || err != nil {
				t.Fatalf("first: %d, %v", v, err)
			}
			v, err := tc.drive(outer)
			if v != tc.v || !slices.Equal(log, tc.log) {
				t.Errorf("value %d, log %q, want %d and %q", v, log, tc.v, tc.log)
			}
			checkErr(t, name, err, tc.err)
			if open := v > 0; open != (inner.State() == Suspended) {
				t.Errorf("inner is left %v", inner.State())
			}
			outer.Close()
			inner.Close()
		})
	}
}

// From yields nothing of a generator that is over, and the rest of one that is
// half way.
func TestFromInnersState(t *testing.T) {
	noLeaks(t)
	for skip, want := range []string{"[1 2 -1]", "[2 -1]", "[-1]", "[-1]"} {
		var log []string
		inner := upTo(2, nil, nil)
		for range skip {
			inner.Next()
		}
		var got []int
		for v := range delegate(inner, &log).All() {
			got = append(got, v)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("after %d: %v, want %s", skip, got, want)
		}
		result := `"end", <nil>`
		if skip == 3 { // the result was returned already
			result = `"", <nil>`
		}
		if log[0] != result {
			t.Errorf("after %d: From returned %s", skip, log[0])
		}
	}
}

// If inner ignores its close, From returns the error, and inner is left
// suspended.
func TestFromIgnoredClose(t *testing.T) {
	noLeaks(t)
	inner := New(func(y *Yielder[int, int]) (string, error) {
		y.Yield(1)
		y.Yield(2)
		return "", nil
	})
	outer := New(func(y *Yielder[int, int]) (string, error) { return From(y, inner) })
	outer.Next()
	checkErr(t, "close", outer.Close(), ErrIgnoredClose)
	if outer.State() != Closed || inner.State() != Suspended {
		t.Errorf("outer %v, inner %v", outer.State(), inner.State())
	}
	checkErr(t, "close of the inner", inner.Close(), nil)
}

// A chain of generators passes a value each way through all of them.
func TestFromDeep(t *testing.T) {
	noLeaks(t)
	g := echo()
	for range 50 {
		inner := g
		g = New(func(y *Yielder[int, int]) (string, error) { return From(y, inner) })
	}
	for i := 1; i <= 3; i++ {
		if v, err := g.Next(); v != i || err != nil {
			t.Errorf("%d, %v, want %d", v, err, i)
		}
	}
	if _, err := g.Send(99); err.(*Return[string]).Value != "end" {
		t.Errorf("ended with %v", err)
	}
}
