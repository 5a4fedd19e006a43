package coro

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A stage makes coroutines switch at random and predicts, from a model that is
// a list of numbers, which one must run after each step. Actor 0 is the host;
// each other actor has the seat of its number.
type stage struct {
	t       *testing.T
	rng     *rand.Rand
	actors  []*Coroutine
	at      []int // the seat in which each actor sleeps; nowhere if it doesn't
	running int
	steps   int
	started int // how many times an actor was given to Init
	turns   int // how many times an actor woke
}

const nowhere = -1

func newStage(t *testing.T, n, steps int, seed uint64) *stage {
	s := &stage{t: t, rng: rand.New(rand.NewPCG(seed, 0)), steps: steps, actors: []*Coroutine{{}}, at: []int{nowhere}}
	for range n {
		s.actors = append(s.actors, new(Coroutine))
		s.at = append(s.at, nowhere)
	}
	for i := 1; i <= n; i++ {
		s.start(i)
	}
	return s
}

func (s *stage) start(i int) {
	s.actors[i].Init(func() {
		s.woken(i)
		s.act(i)
	})
	s.at[i] = i
	s.started++
}

func (s *stage) parked(i int) bool { return s.at[i] != nowhere }

// act runs actor me until it ends or, for the host, until all others have
// ended.
func (s *stage) act(me int) {
	for {
		s.steps--
		switch {
		case me != 0 && (s.steps < 0 || s.rng.IntN(10) == 0):
			s.running = slices.Index(s.at, me)
			s.at[s.running] = nowhere
			return
		case s.steps >= 0 && s.rng.IntN(10) == 0:
			s.restart(me)
		}
		to := s.pick(me)
		if to == nowhere && s.steps < 0 {
			return
		}
		if to == nowhere {
			continue
		}
		s.at[me], s.at[to] = s.at[to], nowhere
		s.running = to
		s.actors[me].Switch(s.actors[to])
		s.woken(me)
	}
}

// restart calls Init again for an ended actor, if there is one.
func (s *stage) restart(me int) {
	i := 1 + s.rng.IntN(len(s.actors)-1)
	if i != me && !s.parked(i) {
		s.start(i)
	}
}

// pick returns a parked actor, or nowhere.
func (s *stage) pick(me int) int {
	from := s.rng.IntN(len(s.actors))
	for k := range s.actors {
		if i := (from + k) % len(s.actors); i != me && s.parked(i) {
			return i
		}
	}
	return nowhere
}

func (s *stage) woken(me int) {
	s.turns++
	if s.running != me {
		s.t.Errorf("actor %d runs, the model says %d", me, s.running)
	}
	for i, c := range s.actors {
		if s.parked(i) && c.at != &s.actors[s.at[i]].home {
			s.t.Errorf("actor %d does not sit in seat %d", i, s.at[i])
		}
	}
	parked := func(c *Coroutine) bool { return s.parked(slices.Index(s.actors, c)) }
	if err := checkSeats(s.actors, parked); err != nil {
		s.t.Error(err)
	}
}

func TestCoroutineRandomTransfers(t *testing.T) {
	noLeaks(t)
	for seed := range uint64(60) {
		s := newStage(t, 1+int(seed%9), 300, seed)
		s.act(0)
		for i := range s.actors {
			if s.parked(i) {
				t.Errorf("seed %d: actor %d never ended", seed, i)
			}
		}
		if s.turns < 100 {
			t.Errorf("seed %d: only %d turns", seed, s.turns)
		}
		if t.Failed() {
			t.Fatalf("seed %d, %d started", seed, s.started)
		}
	}
}

func TestCoroutineRing(t *testing.T) {
	noLeaks(t)
	r := newRing(5)
	r.turns = 100
	r.host.Switch(&r.cs[0])
	if r.turns != 0 {
		t.Errorf("%d turns left", r.turns)
	}
	r.end()
}

// A switch to a coroutine that cannot be resumed panics at once, and does not
// affect the others.
func TestCoroutineMisuse(t *testing.T) {
	noLeaks(t)
	var host, self, ended, zero Coroutine
	ended.Init(func() {})
	host.Switch(&ended)
	self.Init(func() {
		for _, to := range []*Coroutine{&self, &ended, &zero} {
			if v, _ := panicOf(func() { self.Switch(to) }).(string); !strings.Contains(v, "coro: Switch to") {
				t.Errorf("panicked with %q", v)
			}
		}
		self.Switch(&host)
	})
	host.Switch(&self)
	if self.at == nil || host.at != nil {
		t.Error("a refused switch took somebody's seat")
	}
	host.Switch(&self)
}

func TestCoroutineAllocatesNothing(t *testing.T) {
	noLeaks(t)
	r := newRing(1)
	if n := testing.AllocsPerRun(100, func() { r.host.Switch(&r.cs[0]) }); n != 0 {
		t.Errorf("%v allocations a switch", n)
	}
	r.end()
}

// panicOf returns what f panics with, or nil.
func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// TestExit: a body that is in runtime.Goexit ends without ending the goroutine
// that wakes after it.
func TestExit(t *testing.T) {
	noLeaks(t)
	var host, c, other Coroutine
	awaits := false
	c.Init(func() {
		defer func() {
			c.Switch(&host) // works on while it exits
			awaits = host.WakesAfter(&c) && !other.WakesAfter(&c)
			Exit()
		}()
		runtime.Goexit()
	})
	other.Init(func() { other.Switch(&host) })
	host.Switch(&other)
	host.Switch(&c)
	host.SwitchToExit(&c)
	if !awaits {
		t.Error("the host was not known to be the one that wakes")
	}
	if v := panicOf(func() { host.SwitchToExit(&c) }); v == nil {
		t.Error("a switch to one that has ended was allowed")
	}
	host.SwitchToExit(&other) // returns, as Switch does
}
