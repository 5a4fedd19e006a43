package coro

import (
	"errors"
	"testing"
)

func TestSimple(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		drive func(g *Simple[int]) error
		sees  error // result of the second yield
	}{
		"next":   {func(g *Simple[int]) error { _, err := g.Next(); return err }, nil},
		"thrown": {func(g *Simple[int]) error { _, err := g.Throw(boom); return err }, boom},
		"closed": {func(g *Simple[int]) error { return g.Close() }, ErrClosed},
	} {
		var seen error
		g := NewSimple(func(yield func(int) error) error {
			if err := yield(1); err != nil {
				return err
			}
			seen = yield(2)
			return seen
		})
		for want := 1; want <= 2; want++ {
			if v, err := g.Next(); v != want || err != nil {
				t.Errorf("%s: Next returned %v, %v, want %d", name, v, err, want)
			}
		}
		err := c.drive(g)
		var end *Return[struct{}]
		switch {
		case seen != c.sees:
			t.Errorf("%s: yield returned %v", name, seen)
		case c.sees == nil && !errors.As(err, &end), c.sees == boom && err != boom, c.sees == ErrClosed && err != nil:
			t.Errorf("%s: the driver got %v", name, err)
		}
		if g.State() != Closed {
			t.Errorf("%s: left in the state %v", name, g.State())
		}
	}
}
