package coro

import (
	"errors"
	"iter"
)

// All returns an iterator over the values that g has yet to yield, each with a
// nil error. If the body fails, its error comes last, with a zero value; the
// result of the body is dropped.
//
// Leaving the loop early, by break, return or a panic, closes g. The loop
// cannot return that Close's error: the next call of [Generator.Close] does.
// Each value costs what Next does.
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

// leave closes g for a loop and keeps Close's error for the next Close. It does
// nothing if g is over or the caller may not close it.
func (g *Generator[Y, S, R]) leave() {
	if err := g.Close(); g.owner.admits() && g.y.frame.state == Closed {
		g.lost = err
	}
}
