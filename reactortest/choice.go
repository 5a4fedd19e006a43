package reactortest

import (
	"math/bits"
	"math/rand/v2"
)

// choices makes all random decisions of a run. The same choices make the same run.
// 0 always means no disturbance: no fault, the shortest delay, the order of the queue.
type choices interface {
	// choose returns a number in [0,n). n is not 0.
	choose(n uint64) uint64
}

// seeded makes choices from a seed. The network, the order of tasks and the program
// each have their own generator, so that a change in one does not change the others.
type seeded struct{ pcg *rand.PCG }

// The streams of a seed.
const (
	streamNetwork = iota + 1
	streamTasks
	streamProgram
)

func newSeeded(seed, stream uint64) *seeded {
	return &seeded{rand.NewPCG(seed, stream)}
}

// choose has a bias of at most n in 2^64. It does not use rand.Rand, whose results
// differ on 32-bit machines.
func (s *seeded) choose(n uint64) uint64 {
	hi, _ := bits.Mul64(s.pcg.Uint64(), n)
	return hi
}

// scripted takes its choices from a fuzzer's bytes. After their end, every choice is 0.
type scripted struct{ script []byte }

// choose consumes as many bytes as n needs.
func (s *scripted) choose(n uint64) uint64 {
	v := uint64(0)
	for rest := n - 1; rest > 0; rest >>= 8 {
		v = v<<8 | uint64(s.next())
	}
	return v % n
}

func (s *scripted) next() byte {
	if len(s.script) == 0 {
		return 0
	}
	b := s.script[0]
	s.script = s.script[1:]
	return b
}

// happens reports whether an event with probability p, in parts of 65536, happens. If p
// is 0 it consumes no choice.
func happens(c choices, p uint64) bool {
	return p > 0 && c.choose(1<<16) >= 1<<16-min(p, 1<<16)
}

// parts converts a probability to parts of 65536. No other part of a run depends on
// floating point.
func parts(p float64) uint64 { return uint64(max(0, min(p, 1)) * (1 << 16)) }
