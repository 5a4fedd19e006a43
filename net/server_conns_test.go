package net

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type placed struct {
	place int
	member
}

func (n *placed) index() *int { return &n.place }

func TestConnSet(t *testing.T) {
	var s connSet
	var model []member
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		if len(model) == 0 || r.IntN(5) > 1 {
			m := &placed{place: -1}
			s.add(m)
			model = append(model, m)
		} else {
			j := r.IntN(len(model))
			s.remove(model[j])
			model = slices.Delete(model, j, j+1)
		}
		if msg := s.check(); msg != "" || s.len() != len(model) {
			t.Fatalf("step %d: %d members, want %d; %s", i, s.len(), len(model), msg)
		}
	}
	for _, m := range model {
		if !slices.Contains(s.copy(), m) {
			t.Error("one is missing")
		}
	}
}
