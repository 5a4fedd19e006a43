package coro

import (
	"errors"
	"fmt"
	"testing"
)

// isClosed is an error whose method Is matches ErrClosed.
type isClosed struct{}

func (isClosed) Error() string        { return "closed" }
func (isClosed) Is(target error) bool { return target == ErrClosed }

// Errors that a body returns besides ErrClosed are never lost, whether a Close,
// a break out of a loop, or another generator's From closes it.
func TestCloseReturnsWhatIsNotErrClosed(t *testing.T) {
	noLeaks(t)
	flush, other := errors.New("flush failed"), errors.New("other")
	words := fmt.Errorf("%w, and then: %w", ErrClosed, flush)
	around := fmt.Errorf("stopped: %w", errors.Join(ErrClosed, flush))
	for name, tc := range map[string]struct{ returned, want error }{
		"itself":            {ErrClosed, nil},
		"with words":        {fmt.Errorf("row 7: %w", ErrClosed), nil},
		"two of them":       {errors.Join(ErrClosed, fmt.Errorf("row 7: %w", ErrClosed)), nil},
		"several with %w":   {fmt.Errorf("%w: %w", ErrClosed, ErrClosed), nil},
		"says that it is":   {isClosed{}, nil},
		"another":           {flush, flush},
		"joined":            {errors.Join(ErrClosed, flush), flush},
		"joined before":     {errors.Join(flush, ErrClosed), flush},
		"joined in a join":  {errors.Join(errors.Join(ErrClosed, flush), ErrClosed), flush},
		"with other words":  {words, words},
		"join within words": {around, around},
	} {
		for way, closed := range map[string]func(g *Generator[int, int, int]) error{
			"Close": (*Generator[int, int, int]).Close,
			"break": func(g *Generator[int, int, int]) error {
				for range g.All() {
					break
				}
				return g.Close()
			},
			"From": func(g *Generator[int, int, int]) error {
				outer := New(func(y *Yielder[int, int]) (int, error) { return From(y, g) })
				outer.Next()
				return outer.Close()
			},
		} {
			g := New(func(y *Yielder[int, int]) (int, error) {
				if _, err := y.Yield(1); !errors.Is(err, ErrClosed) {
					t.Errorf("Yield returned %v", err)
				}
				return 0, tc.returned
			})
			if way == "Close" {
				g.Next()
			}
			if err := closed(g); err != tc.want {
				t.Errorf("%s, %s: got %v, want %v", way, name, err, tc.want)
			}
		}
	}
	g := New(func(y *Yielder[int, int]) (int, error) {
		_, err := y.Yield(1)
		return 0, errors.Join(err, flush, other)
	})
	g.Next()
	if err := g.Close(); errors.Is(err, ErrClosed) || !errors.Is(err, flush) || !errors.Is(err, other) {
		t.Errorf("of three: %v", err)
	}
}

// An error thrown together with ErrClosed is not just a close: From passes it
// on.
func TestFromThrowsWhatIsNotErrClosed(t *testing.T) {
	noLeaks(t)
	boom := errors.New("boom")
	var got error
	inner := New(func(y *Yielder[int, int]) (int, error) {
		_, got = y.Yield(1)
		return 0, got
	})
	outer := New(func(y *Yielder[int, int]) (int, error) { return From(y, inner) })
	outer.Next()
	if _, err := outer.Throw(errors.Join(ErrClosed, boom)); !errors.Is(err, boom) || !errors.Is(got, boom) {
		t.Errorf("the inner one got %v, and Throw returned %v", got, err)
	}
}
