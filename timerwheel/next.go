package timerwheel

// maxScan bounds the timers that Next looks at.
const maxScan = 16

// Next returns the moment for which the owner should plan its next Pop; ok is
// false if no timer is active. It is never later than the first effective
// deadline nor earlier than the wheel's time, and it is exactly the first
// deadline unless timers crowd together: when more than 16 share the first slot
// it may be that slot's start, and Pop at that moment may return nil. Next is
// exact after such a Pop, until a timer is cancelled, so a crowd costs one
// extra wake-up.
//
// Next takes constant time: about 1 ns while the first slot stays the same,
// else it looks at up to 16 timers. It does not allocate.
func (w *Wheel[T]) Next() (when int64, ok bool) {
	if w.hint != 0 {
		return w.hint, true
	}
	return w.findNext()
}

// findNext is Next without a hint, and leaves one. It stands apart so that Next
// can be inlined.
func (w *Wheel[T]) findNext() (when int64, ok bool) {
	if w.count == 0 {
		return 0, false
	}
	w.hintSlot = w.lists.first()
	w.hint = w.bound(w.hintSlot)
	return w.hint, true
}

// bound returns the least effective deadline in slot s if it is cheap to find, else
// the slot's start.
func (w *Wheel[T]) bound(s uint16) int64 {
	start := slotStart(w.cur, s)
	if s < perLevel {
		return start // a level-0 slot holds a single deadline
	}
	head := w.lists.heads[s]
	least := head.when
	t := head.next
	for range maxScan {
		if t == head {
			return least
		}
		least = min(least, t.when)
		t = t.next
	}
	return start
}
