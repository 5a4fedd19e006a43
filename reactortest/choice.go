package reactortest

import (
	"math/bits"
	"math/rand/v2"
)

// choices is where all that is left to chance is decided. The same choices make
// the same run. 0 always is the answer that disturbs nothing: no fault, no delay
// beyond the least, the order of the queue.
type choices interface {
	// choose returns a number below n, which is not 0.
	choose(n uint64) uint64
}

// seeded makes choices of a seed. The network, the order of tasks and the
// program have dice of their own, so that a change of the one leaves the others
// as they were.
type seeded struct{ dice *rand.PCG }

// The streams of a seed.
const (
	streamWorld = iota + 1
	streamOrder
	streamProgram
)

func newSeeded(seed, stream uint64) *seeded {
	return &seeded{rand.NewPCG(seed, stream)}
}

// choose has a bias of at most n in 2^64. It is not rand.Rand's, which goes
// another way on 32-bit machines.
func (s *seeded) choose(n uint64) uint64 {
	hi, _ := bits.Mul64(s.dice.Uint64(), n)
	return hi
}

// scripted takes its choices from bytes, as a fuzzer writes them. When they are
// used up, every choice is 0.
type scripted struct{ script []byte }

// choose takes as many bytes as n needs.
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

// happens says whether what has probability p happens, p in parts of 65536. It
// asks nothing for what never happens.
func happens(c choices, p uint64) bool {
	return p > 0 && c.choose(1<<16) >= 1<<16-min(p, 1<<16)
}

// parts makes parts of 65536 of a probability. It is the only floating-point
// number that a run depends on.
func parts(p float64) uint64 { return uint64(max(0, min(p, 1)) * (1 << 16)) }
