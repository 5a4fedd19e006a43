package coro

import (
	"errors"
	"iter"
)

// All returns an iterator over the values that g has yet to yield, each with a
// nil error. If the body fails, its error comes last, with a zero value; the
// result of the body is dropped.
//
// Leaving the loop early, by break, return or a panic, closes g. What that
// Close returns, the loop cannot be told: the next call of [Generator.Close]
// returns it. Costs what Next does.
func (g *Generator[Y, S, R]) All() iter.Seq2[Y, error] {
	return func(yield func(Y, error) bool) {
		defer g.leave()
		for {
			v, err := g.Next()
			if err != nil {
				if !errors.Is(err, ErrStop) {
					yield(v, err)
				}
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// leave closes g for a loop that cannot return what Close does. To a g that
// is over it does nothing, and to one that may not be closed here neither.
func (g *Generator[Y, S, R]) leave() {
	if err := g.Close(); g.owner.admits() && g.y.frame.state == Closed {
		g.lost = err
	}
}
