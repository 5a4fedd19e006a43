//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package eddy

import "fmt"

// A slotTable holds the state of each registered descriptor, by number.
//
// Invariants: a slot that is not registered is zero. If a slot's batch is the
// table's, index is the position of its Event in that batch.
//
// owed contains the number of every slot whose owed is set, and possibly
// others.
type slotTable struct {
	slots []slot
	batch uint64 // counts the calls of translate
	owed  []int
}

// A slot belongs to one descriptor number. A number that was closed without
// remove stays registered here, without effect: it has no filters.
type slot struct {
	token      uint64
	registered bool
	owed       bool      // the next batch must report the end of writing
	ended      Readiness // which directions have ended: ReadClosed, Hangup
	// READ and WRITE events of one batch make one Event.
	batch uint64
	index int
}

func (t *slotTable) has(fd int) bool { return fd < len(t.slots) && t.slots[fd].registered }

// set registers fd. If the table is too short for it, it at least doubles.
func (t *slotTable) set(fd int, token uint64) {
	if fd >= len(t.slots) {
		grown := make([]slot, max(fd+1, 2*len(t.slots)))
		copy(grown, t.slots)
		t.slots = grown
	}
	t.slots[fd] = slot{token: token, registered: true}
}

func (t *slotTable) clear(fd int) { t.slots[fd] = slot{} }

// owe makes the next batch report that nothing can be written to fd any more.
func (t *slotTable) owe(fd int) {
	t.slots[fd].owed = true
	t.owed = append(t.owed, fd)
}

// settle returns the descriptors that are owed a report, each once, and marks
// them as paid.
func (t *slotTable) settle() []int {
	due := t.owed[:0]
	for _, fd := range t.owed {
		if t.slots[fd].owed {
			t.slots[fd].owed = false
			due = append(due, fd)
		}
	}
	t.owed = nil
	return due
}

// inBatch reports whether fd has an Event in this batch.
func (t *slotTable) inBatch(fd int) bool { return t.has(fd) && t.slots[fd].batch == t.batch }

// merge adds ready to the descriptor's Event of this batch, or appends one. It
// drops an event for a number that is not registered.
func (t *slotTable) merge(events []Event, fd int, ready Readiness) []Event {
	if !t.has(fd) {
		return events
	}
	s := &t.slots[fd]
	ready = s.end(ready)
	if s.batch == t.batch {
		events[s.index].Ready |= ready
		return events
	}
	s.batch, s.index = t.batch, len(events)
	return append(events, Event{Token: s.token, Ready: ready})
}

// end makes Hangup mean that both directions are gone. A kqueue reports each
// separately, in any order, and reports the end of writing also when this side
// has shut it down.
func (s *slot) end(ready Readiness) Readiness {
	const both = ReadClosed | Hangup
	s.ended |= ready & both
	if s.ended != both {
		return ready &^ Hangup
	}
	return ready | Hangup | Readable | Writable
}

// check returns an error if an invariant is broken.
func (t *slotTable) check() error {
	owed := make(map[int]bool)
	for _, fd := range t.owed {
		owed[fd] = true
	}
	for fd, s := range t.slots {
		if s.owed && !owed[fd] {
			return fmt.Errorf("eddy: fd %d is owed a report but is not in the list", fd)
		}
		if !s.registered && s != (slot{}) {
			return fmt.Errorf("eddy: fd %d is not registered, but its slot is %+v", fd, s)
		}
		if s.batch > t.batch || s.ended&^(ReadClosed|Hangup) != 0 {
			return fmt.Errorf("eddy: fd %d has slot %+v in batch %d", fd, s, t.batch)
		}
	}
	return nil
}
