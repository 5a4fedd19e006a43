package core

import (
	"math/rand/v2"
	"testing"
)

type numbered int

func (numbered) Exec(*Worker) {}

func TestReadyQueueIsFIFOAgainstASlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q readyQueue
	var model []numbered
	for i := range 20000 {
		// Mostly filling, then mostly draining, so that it wraps and grows.
		if len(model) == 0 || rng.IntN(10) < 3+5*(i/500%2) {
			q.push(numbered(i))
			model = append(model, numbered(i))
		} else {
			if got := q.pop(); got != model[0] {
				t.Fatalf("step %d: popped %v, want %v", i, got, model[0])
			}
			model = model[1:]
		}
		if q.n != len(model) {
			t.Fatalf("step %d: n = %d, want %d", i, q.n, len(model))
		}
		if i%97 == 0 {
			if msg := q.check(); msg != "" {
				t.Fatalf("step %d: %s", i, msg)
			}
		}
	}
}

func TestReadyQueueCheckSeesWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(q *readyQueue){
		"length":     func(q *readyQueue) { q.buf = q.buf[:63] },
		"kept alive": func(q *readyQueue) { q.buf[10] = numbered(1) },
		"count":      func(q *readyQueue) { q.n++ },
	} {
		var q readyQueue
		q.push(numbered(1))
		q.push(numbered(2))
		q.pop()
		if msg := q.check(); msg != "" {
			t.Fatal(msg)
		}
		spoil(&q)
		if q.check() == "" {
			t.Errorf("%s: not noticed", name)
		}
	}
}
