package timerwheel

import "fmt"

// check verifies the invariants in the comments of Wheel and lists, and returns
// an error for the first that does not hold.
func (w *Wheel[T]) check() error {
	if w.cur < 0 || w.cur > w.now {
		return fmt.Errorf("time %d is not within 0 and %d, the latest seen", w.cur, w.now)
	}
	total := 0
	for s := range uint16(slots) {
		n, err := w.checkSlot(s)
		if err != nil {
			return fmt.Errorf("slot %d:%d, time %d: %w", s/perLevel, s%perLevel, w.cur, err)
		}
		total += n
	}
	if total != w.count {
		return fmt.Errorf("count is %d with %d timers linked", w.count, total)
	}
	for l, o := range w.lists.occupied {
		if used := w.lists.inUse>>l&1 == 1; used != (o != 0) {
			return fmt.Errorf("inUse says %v of level %d, occupied %#x", used, l, o)
		}
	}
	return w.checkHint()
}

// checkSlot verifies slot s and returns the number of its timers.
func (w *Wheel[T]) checkSlot(s uint16) (int, error) {
	head := w.lists.heads[s]
	if marked := w.lists.occupied[s/perLevel]>>(s%perLevel)&1 == 1; marked != (head != nil) {
		return 0, fmt.Errorf("marked occupied: %v, has timers: %v", marked, head != nil)
	}
	if head == nil {
		return 0, nil
	}
	if err := w.checkAhead(s); err != nil {
		return 0, err
	}
	for n, t := 0, head; ; {
		if t.slot != s {
			return 0, fmt.Errorf("timer %d has slot %d", n, t.slot)
		}
		if want := slotOf(w.cur, max(w.cur, t.when)); want != s {
			return 0, fmt.Errorf("timer %d, deadline %d, belongs in slot %d", n, t.when, want)
		}
		if t.next == nil || t.next.prev != t {
			return 0, fmt.Errorf("timer %d, deadline %d: broken link", n, t.when)
		}
		n, t = n+1, t.next
		if t == head {
			return n, nil
		}
		if n > w.count {
			return 0, fmt.Errorf("more timers than the wheel's %d: the ring misses its head", w.count)
		}
	}
}

// checkAhead verifies that occupied slot s lies ahead of the wheel's time.
func (w *Wheel[T]) checkAhead(s uint16) error {
	digit := uint16(w.cur >> (s / perLevel * digitBits) % perLevel)
	if s < perLevel && s >= digit || s%perLevel > digit {
		return nil
	}
	return fmt.Errorf("occupied, but not ahead of the time's digit %d", digit)
}

func (w *Wheel[T]) checkHint() error {
	if w.hint == 0 {
		return nil
	}
	if w.count == 0 {
		return fmt.Errorf("hint %d in an empty wheel", w.hint)
	}
	if s := w.lists.first(); w.hintSlot != s {
		return fmt.Errorf("hint for slot %d, the first is %d", w.hintSlot, s)
	}
	least := max(w.cur, earliest(w.lists.heads[w.hintSlot]).when)
	if start := slotStart(w.cur, w.hintSlot); w.hint < start || w.hint > least {
		return fmt.Errorf("hint %d is not within the slot's start %d and its least deadline %d", w.hint, start, least)
	}
	return nil
}
