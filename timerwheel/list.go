package timerwheel

import "math/bits"

// lists holds the timers of each slot, in order of insertion.
//
// Invariants:
//   - a slot's timers form a ring by next and, backwards, by prev, and have the
//     slot's number; the head is the oldest, so head.prev is the newest;
//   - bit d of occupied[l] is set if and only if slot 64*l+d has a head;
//   - bit l of inUse is set if and only if occupied[l] is not 0.
//
// There is a head but no tail pointer, which keeps a wheel within 6 KB.
type lists[T any] struct {
	inUse    uint16
	occupied [levels]uint64
	heads    [slots]*Timer[T]
}

// first returns the lowest occupied slot. There must be one.
func (l *lists[T]) first() uint16 {
	level := uint(bits.TrailingZeros16(l.inUse)) % 16
	return uint16(level*perLevel) + uint16(bits.TrailingZeros64(l.occupied[level]))
}

// append links t, which must be inactive, as the newest of slot s.
func (l *lists[T]) append(t *Timer[T], s uint16) {
	t.slot = s
	head := l.heads[s]
	if head == nil {
		t.next, t.prev = t, t
		l.heads[s] = t
		l.occupied[s/perLevel] |= 1 << (s % perLevel)
		l.inUse |= 1 << (s / perLevel)
		return
	}
	tail := head.prev
	t.next, t.prev = head, tail
	tail.next, head.prev = t, t
}

// remove unlinks t, which must be active.
func (l *lists[T]) remove(t *Timer[T]) {
	if t.next == t {
		l.take(t.slot)
	} else {
		t.prev.next, t.next.prev = t.next, t.prev
		if l.heads[t.slot] == t {
			l.heads[t.slot] = t.next
		}
	}
	t.next, t.prev = nil, nil
}

// take empties slot s and returns what was its head, its ring still closed.
func (l *lists[T]) take(s uint16) *Timer[T] {
	head := l.heads[s]
	l.heads[s] = nil
	level := s / perLevel
	l.occupied[level] &^= 1 << (s % perLevel)
	if l.occupied[level] == 0 {
		l.inUse &^= 1 << level
	}
	return head
}
