package timerwheel

// A Wheel holds timers and gives them back in order of deadline. The zero Wheel
// is empty and at time 0. It takes about 6 KB and must not be copied after
// first use.
//
// A wheel has a time of its own, which only Pop moves, and only forward: to the
// deadline of the timer that Pop returns, or to now when no timer is due. A
// deadline before the wheel's time counts as equal to it; call that the
// effective deadline. Timers fire in the order of their effective deadlines,
// and those that share one in the order in which they were added or last reset.
// So a timer added while others are still overdue goes before those with a
// later deadline, and never overtakes one that was added before it and is due
// at the wheel's time or has the same deadline.
//
// A wheel and its timers may be used by one goroutine at a time. It calls no
// code of its owner: timers may be added, cancelled and reset between any two
// calls, so also between two Pops. It keeps its active timers, and no others,
// reachable for the garbage collector.
type Wheel[T any] struct {
	// Invariants, which check verifies:
	//   - 0 <= cur <= now;
	//   - an active timer is in slot slotOf(cur, max(cur, when)). One whose
	//     deadline had passed when it was added is therefore at level 0, in the
	//     slot of cur, and cur stays until that slot is empty, so that the
	//     max is its effective deadline for as long as it is active;
	//   - hence no slot before cur's digit is occupied at any level, nor at
	//     a level above 0 that of the digit itself, and a level-0 slot holds
	//     a single effective deadline;
	//   - count is the number of active timers;
	//   - if hint is not 0, hintSlot is the first occupied slot and
	//     slotStart(hintSlot) <= hint <= every effective deadline.
	cur int64 // the wheel's time
	now int64 // the latest now passed to Pop

	// hint caches the answer of Next. 0 stands for none; a true 0 can only be
	// at level 0, where finding it again costs no more than reading it.
	hint     int64
	hintSlot uint16

	count int
	lists lists[T]
}

// Len returns the number of active timers, in constant time.
func (w *Wheel[T]) Len() int { return w.count }

// Add makes t active with the given deadline, in nanoseconds since the owner's
// origin. Any value is allowed: one in the past, or negative, counts as the
// wheel's time, and math.MaxInt64 is not special. Add takes constant time and
// does not allocate.
//
// Add panics if t is active, because linking it twice would corrupt the wheel.
// Reset accepts timers in either state.
func (w *Wheel[T]) Add(t *Timer[T], when int64) {
	if t.Active() {
		panic("timerwheel: Add of an active timer; use Reset, or Cancel it first")
	}
	w.add(t, when)
}

func (w *Wheel[T]) add(t *Timer[T], when int64) {
	t.when = when
	when = max(when, w.cur)
	s := slotOf(w.cur, when)
	w.lists.append(t, s)
	w.count++
	if when < w.hint {
		w.hint, w.hintSlot = when, s
	}
}

// Cancel makes t inactive, so that it does not fire, and reports whether it was
// active: true exactly once for each Add whose timer has not fired. It takes
// constant time and does not allocate.
func (w *Wheel[T]) Cancel(t *Timer[T]) bool {
	if !t.Active() {
		return false
	}
	w.drop(t)
	return true
}

// drop is Cancel for an active timer.
func (w *Wheel[T]) drop(t *Timer[T]) {
	if t.slot == w.hintSlot {
		w.hint = 0
	}
	w.lists.remove(t)
	w.count--
}

// Reset gives t a new deadline, whether or not it was active, and reports
// whether it was. It is Cancel followed by Add: t then comes after all
// others of its deadline, even if the deadline is the old one.
func (w *Wheel[T]) Reset(t *Timer[T], when int64) bool {
	active := w.Cancel(t)
	w.add(t, when)
	return active
}

// Pop removes and returns the first timer whose deadline is now or earlier; the
// comment on Wheel states the order. It returns nil if there is none; the
// wheel's time is then now. A now that is negative or less than an earlier
// call's counts as the latest seen. To fire all timers that are due, call Pop
// with the same now until it returns nil. The caller may stop early and go on
// later: the timers left keep their order, also among those added meanwhile.
//
// When the wheel's time enters a slot above level 0, Pop spreads the slot's
// timers over the levels below. A timer thus moves at most ten times in its
// life, usually far fewer, so Pop takes constant time on average; but one call
// may have to move a whole crowd of timers. Pop does not allocate.
func (w *Wheel[T]) Pop(now int64) *Timer[T] {
	w.now = max(w.now, now)
	if w.count == 0 {
		w.cur = w.now
		return nil
	}
	s := w.lists.first()
	start := slotStart(w.cur, s)
	if start > w.now {
		w.cur = w.now // still ahead of every occupied slot: none changes
		return nil
	}
	if s >= perLevel {
		return w.enter(s)
	}
	t := w.lists.heads[s]
	w.drop(t)
	w.cur = start
	return t
}

// enter is Pop for the case that the first occupied slot is s, above level 0,
// and has started. It moves the wheel's time to the slot's earliest deadline,
// or only to now, and spreads what remains of the slot. Timers that differ from
// the new time in the slot's digit or above it keep their place.
func (w *Wheel[T]) enter(s uint16) *Timer[T] {
	t := earliest(w.lists.heads[s])
	if t.when > w.now {
		w.cur = w.now
		w.spread(s)
		w.hint, w.hintSlot = t.when, t.slot
		return nil
	}
	w.drop(t)
	w.cur = t.when
	w.spread(s)
	return t
}

// earliest returns the timer with the least deadline in head's ring, the oldest
// of those if there are several.
func earliest[T any](head *Timer[T]) *Timer[T] {
	least := head
	for t := head.next; t != head; t = t.next {
		if t.when < least.when {
			least = t
		}
	}
	return least
}

// spread moves the timers of slot s, in order, to where they belong now that
// cur has entered it: all of them below its level. Timers of equal deadline
// share a slot at every time, so going in order keeps their order.
func (w *Wheel[T]) spread(s uint16) {
	head := w.lists.take(s)
	if head == nil {
		return
	}
	t := head
	for {
		next := t.next
		w.lists.append(t, slotOf(w.cur, t.when))
		if next == head {
			return
		}
		t = next
	}
}
