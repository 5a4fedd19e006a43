package kqmodel

import "math/rand/v2"

// Reports that come again: a kernel runs its filters for more reasons than epoll
// has.

// mayRepeat reports whether a note of this personality has to be looked after for
// repeats.
func (n *note) mayRepeat(p *personality) bool {
	switch {
	case p.restless:
		return true
	case n.filter == EVFILT_READ:
		return n.kind == pipe && p.readRepeats.is || n.kind == listener && p.acceptRepeats.is
	case n.filter == EVFILT_WRITE:
		return n.kind == tcp && p.ackRepeats.is
	}
	return false
}

// repeat activates the notes that have a reason of their own to report again.
func (q *queue) repeat() {
	if q.is.restless {
		q.repeatAny()
		return
	}
	for range min(lookedAfter, len(q.repeaters)) {
		q.turn = (q.turn + 1) % len(q.repeaters)
		if n := q.repeaters[q.turn]; n.live() && n.hasMoved() {
			q.push(n)
		}
	}
}

// lookedAfter is how many notes are looked at by a call, in turns: a kqueue may
// have thousands.
const lookedAfter = 8

// repeatAny activates a few of the notes, every other time.
func (q *queue) repeatAny() {
	if q.random.IntN(2) == 0 {
		return
	}
	for range min(3, len(q.repeaters)) {
		q.push(q.repeaters[q.random.IntN(len(q.repeaters))])
	}
}

// hasMoved reports whether something was taken from what the last report said is
// there: data read, a connection accepted, or data acknowledged.
func (n *note) hasMoved() bool {
	before := n.moves
	n.moves = n.countMoves()
	if n.kind == tcp {
		return n.moves > before
	}
	return n.moves < before
}

func (n *note) countMoves() int64 {
	if n.kind != tcp {
		return n.available()
	}
	if !n.askTCP() {
		return n.moves
	}
	return int64(n.info.Bytes_acked)
}

func newRandom(p *personality, ordinal uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.seed, ordinal))
}
