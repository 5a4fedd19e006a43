//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package eddy

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The BSDs and macOS: kqueue(2), two filters per descriptor, both EV_CLEAR
// (edge-triggered), and a pipe to wake.
//
// Changes are submitted at once, with an empty event list. A queued change
// could reach a later owner of the number, and a list with room for events
// would mix EV_ERROR replies and events.
//
// Tokens are in a table and not in udata, which is a pointer to the garbage
// collector on most of these systems. Hence the question of a stale event: can
// one of an earlier registration be reported under the token of a later one?
// Not within a batch: poll and translate follow each other inside Wait, and
// only the same goroutine calls add and remove, so between the kernel's report
// and the lookup the table does not change. Not across batches: the kernel
// drops a filter, with what was pending on it, when it is deleted (remove) and
// when its descriptor is closed, duplicates or not (kqueue(2), "called
// automatically on close"); what it reports after the next add stems from
// that add. A batch that the caller holds has its tokens already.

type rawEvent = unix.Kevent_t

type backend struct {
	kq    int
	wake  selfPipe
	slots []slot // indexed by descriptor
	batch uint64 // counts the calls of translate
}

// A slot is what is known of one descriptor number. A number that was closed
// without remove stays registered here, to no effect: it has no filters.
type slot struct {
	token      uint64
	registered bool
	// If batch is the current one, index is where this descriptor's Event is in
	// it, so that a READ and a WRITE make one Event.
	batch uint64
	index int
}

func (b *backend) open() (err error) {
	if err = b.openKqueue(); err != nil {
		return err
	}
	if err = b.openWake(); err != nil {
		unix.Close(b.kq)
	}
	return err
}

func (b *backend) openKqueue() (err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if b.kq, err = unix.Kqueue(); err != nil {
		return err
	}
	unix.CloseOnExec(b.kq)
	return nil
}

func (b *backend) openWake() error {
	if err := b.wake.open(); err != nil {
		return err
	}
	err := b.change(b.wake.read, unix.EVFILT_READ, unix.EV_ADD|unix.EV_CLEAR)
	if err != nil {
		b.wake.close()
	}
	return err
}

func (b *backend) add(fd int, token uint64) error {
	var changes [2]unix.Kevent_t
	unix.SetKevent(&changes[0], fd, unix.EVFILT_READ, unix.EV_ADD|unix.EV_CLEAR)
	unix.SetKevent(&changes[1], fd, unix.EVFILT_WRITE, unix.EV_ADD|unix.EV_CLEAR)
	err := b.submit(changes[:])
	if err == unix.EINVAL { // another kqueue, say, which can only be waited for to read
		err = b.submit(changes[:1])
	}
	// EPIPE: a pipe whose other end is gone takes no WRITE filter. The READ
	// filter, which comes first, is in place and reports the end.
	if err != nil && err != unix.EPIPE {
		b.drop(fd)
		return err
	}
	b.reserve(fd)
	b.slots[fd] = slot{token: token, registered: true}
	return nil
}

func (b *backend) remove(fd int) error {
	if !b.registered(fd) {
		return unix.ENOENT
	}
	return b.drop(fd)
}

func (b *backend) registered(fd int) bool {
	return fd < len(b.slots) && b.slots[fd].registered
}

// reserve makes the table reach to fd, at least doubling it.
func (b *backend) reserve(fd int) {
	if fd >= len(b.slots) {
		grown := make([]slot, max(fd+1, 2*len(b.slots)))
		copy(grown, b.slots)
		b.slots = grown
	}
}

// drop deletes the filters one by one, for the kernel stops at the first
// change that fails.
func (b *backend) drop(fd int) error {
	if b.registered(fd) {
		b.slots[fd] = slot{}
	}
	readErr := b.change(fd, unix.EVFILT_READ, unix.EV_DELETE)
	writeErr := b.change(fd, unix.EVFILT_WRITE, unix.EV_DELETE)
	if readErr != nil && !gone(readErr) {
		return readErr
	}
	if writeErr != nil && !gone(writeErr) {
		return writeErr
	}
	return nil
}

// gone tells that there was nothing to delete: the filter was never added (see
// EPIPE in add), an interrupted call has deleted it already, or closing the
// descriptor has.
func gone(err error) bool {
	return err == unix.ENOENT || err == unix.EBADF || err == unix.EINVAL
}

func (b *backend) change(fd, filter, flags int) error {
	var changes [1]unix.Kevent_t
	unix.SetKevent(&changes[0], fd, filter, flags)
	return b.submit(changes[:])
}

// submit repeats an interrupted call: adding again changes nothing, and
// deleting again is gone.
func (b *backend) submit(changes []unix.Kevent_t) error {
	for {
		if _, err := unix.Kevent(b.kq, changes, nil, nil); err != unix.EINTR {
			return err
		}
	}
}

// longest is a sleep that every kernel accepts; Darwin answers EINVAL to very
// long ones.
const longest = 10 * 24 * time.Hour

func (b *backend) poll(raw []rawEvent, timeout time.Duration) (int, error) {
	var until *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(min(timeout, longest)))
		until = &ts
	}
	n, err := unix.Kevent(b.kq, nil, raw, until)
	// ETIMEDOUT is not documented, yet seen (go.dev/issue/59679).
	if err == unix.EINTR || err == unix.ETIMEDOUT {
		return 0, nil
	}
	return n, err
}

func (b *backend) translate(raw []rawEvent, events []Event) ([]Event, bool) {
	b.batch++
	woken := false
	for i := range raw {
		fd := int(raw[i].Ident)
		if fd == b.wake.read {
			b.wake.drain()
			woken = true
			continue
		}
		if b.registered(fd) {
			events = b.merge(events, &b.slots[fd], readiness(&raw[i]))
		}
	}
	return events, woken
}

// merge adds ready to the descriptor's Event of this batch, or begins one.
func (b *backend) merge(events []Event, s *slot, ready Readiness) []Event {
	if s.batch == b.batch {
		events[s.index].Ready |= ready
		return events
	}
	s.batch, s.index = b.batch, len(events)
	return append(events, Event{Token: s.token, Ready: ready})
}

// readiness reads EV_EOF by its filter: on READ the peer writes no more, on
// WRITE it is gone. The socket's error comes in fflags, and only with EV_EOF;
// EV_ERROR would be the answer to a change.
func readiness(ev *unix.Kevent_t) (r Readiness) {
	eof := ev.Flags&unix.EV_EOF != 0
	switch ev.Filter {
	case unix.EVFILT_READ:
		r = Readable
		if eof {
			// Writable too: some kernels tell the writing end of a pipe that its
			// reader is gone by READ alone.
			r |= ReadClosed | Writable
		}
	case unix.EVFILT_WRITE:
		r = Writable
		if eof {
			r |= Hangup | Readable
		}
	}
	if eof && ev.Fflags != 0 || ev.Flags&unix.EV_ERROR != 0 {
		r |= Failed | Readable | Writable
	}
	return r
}

func (b *backend) signal() error { return b.wake.signal() }

// close ends the filters with the queue.
func (b *backend) close() error {
	b.slots = nil
	wakeErr := b.wake.close()
	if err := unix.Close(b.kq); err != nil {
		return err
	}
	return wakeErr
}
