package core

import (
	"github.com/eddyio/eddy"
)

// An fdTable holds the loop's FDs. The kernel reports a slot and its
// generation, which grows each time the slot gets another FD: an event for an
// FD that was closed meanwhile finds another generation, and is ignored.
type fdTable struct {
	slots   []fdSlot
	free    []uint32
	n       int         // slots in use
	foreign map[int]*FD // borrowed FDs, of WaitReadable and WaitWritable
}

type fdSlot struct {
	fd         *FD
	generation uint32
}

func (t *fdTable) add(f *FD) error {
	if len(t.free) == 0 {
		t.free = append(t.free, uint32(len(t.slots)))
		t.slots = append(t.slots, fdSlot{})
	}
	last := len(t.free) - 1
	f.slot = t.free[last]
	s := &t.slots[f.slot]
	if f.flags&unpolled == 0 {
		if err := t.poll(f); err != nil {
			return err
		}
	}
	t.free = t.free[:last]
	s.fd = f
	t.n++
	return nil
}

// poll makes the poller report on f, by its slot.
func (t *fdTable) poll(f *FD) error {
	return f.loop.poller.Add(f.Sysfd(), uint64(t.slots[f.slot].generation)<<32|uint64(f.slot))
}

func (t *fdTable) remove(f *FD) {
	s := &t.slots[f.slot]
	s.fd = nil
	s.generation++
	t.free = append(t.free, f.slot)
	t.n--
}

func (t *fdTable) dispatch(e eddy.Event) {
	if f := t.of(e); f != nil {
		f.notify(e.Ready)
	}
}

// of returns the FD that an event is about; nil if that has been closed.
func (t *fdTable) of(e eddy.Event) *FD {
	slot := uint32(e.Token)
	if int(slot) < len(t.slots) {
		if s := &t.slots[slot]; s.generation == uint32(e.Token>>32) {
			return s.fd
		}
	}
	return nil
}

// evict drops the FD of a descriptor number that now belongs to another file:
// the earlier owner has closed it.
func (t *fdTable) evict(sysfd int) {
	if f := t.foreign[sysfd]; f != nil {
		delete(t.foreign, sysfd)
		f.shut()
	}
}

func (t *fdTable) closeAll() {
	for i := range t.slots {
		if f := t.slots[i].fd; f != nil {
			f.Close()
		}
	}
}
