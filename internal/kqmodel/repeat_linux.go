package kqmodel

import "math/rand/v2"

// Repeated reports: a kernel runs its filters in more cases than epoll reports.

// mayRepeat reports whether repeat must examine n, with this personality.
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

// repeat activates the notes that must report again without an activation by
// epoll.
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

// lookedAfter is how many notes one call examines, in turn: a kqueue may have
// thousands.
const lookedAfter = 8

// repeatAny activates a few notes at random, in half of the calls.
func (q *queue) repeatAny() {
	if q.random.IntN(2) == 0 {
		return
	}
	for range min(3, len(q.repeaters)) {
		q.push(q.repeaters[q.random.IntN(len(q.repeaters))])
	}
}

// hasMoved reports whether something was consumed since the last report: data
// read, a connection accepted, or data acknowledged.
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
