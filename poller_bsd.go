//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

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
// Tokens are in a table (slotTable) and not in udata, which on most of these
// systems has a pointer type that the garbage collector would follow. An event
// of an earlier registration is never reported under the token of a later one.
// Within a batch: poll and translate follow each other inside Wait, and only
// the same goroutine calls add and remove, so the table does not change between
// the kernel's report and the lookup. Across batches: the kernel drops a filter
// and its pending events when the filter is deleted (remove) and when its
// descriptor is closed, duplicates or not (kqueue(2), "called automatically on
// close"); what it reports after the next add belongs to that add. A batch that
// the caller holds has its tokens already.

type rawEvent = kqEvent

type backend struct {
	kq    int
	wake  selfPipe
	slots slotTable
}

func (b *backend) open() (err error) {
	if err = b.openKqueue(); err != nil {
		return err
	}
	if err = b.openWake(); err != nil {
		kqClose(b.kq)
	}
	return err
}

func (b *backend) openKqueue() (err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if b.kq, err = kqOpen(); err != nil {
		return err
	}
	unix.CloseOnExec(b.kq)
	return nil
}

func (b *backend) openWake() error {
	if err := b.wake.open(); err != nil {
		return err
	}
	err := b.change(b.wake.read, kqRead, kqAdd|kqClear)
	if err != nil {
		b.wake.close()
	}
	return err
}

func (b *backend) add(fd int, token uint64) error {
	if err := b.refuse(fd); err != nil {
		return err
	}
	var changes [2]kqEvent
	kqSet(&changes[0], fd, kqRead, kqAdd|kqClear)
	kqSet(&changes[1], fd, kqWrite, kqAdd|kqClear)
	err := b.submit(changes[:])
	refused := err
	if onlyReads(refused) {
		err = b.submit(changes[:1])
	}
	if err != nil {
		b.drop(fd)
		if err == unix.ENODEV { // a device that can't be polled
			err = unix.EPERM
		}
		return err
	}
	b.slots.set(fd, token)
	if refused == unix.EPIPE || refused == unix.EBADF {
		b.slots.owe(fd)
	}
	return nil
}

// onlyReads reports whether err can mean that the kernel refused WRITE for a
// descriptor that accepts READ. A pipe without its other end gives EPIPE, on
// NetBSD EBADF; a kqueue, which supports READ only, gives EINVAL, EPERM or
// EOPNOTSUPP; a device may give ENODEV. Each of them can also mean that READ
// was refused: then adding READ alone fails too.
func onlyReads(err error) bool {
	switch err {
	case unix.EPIPE, unix.EBADF, unix.EINVAL, unix.EPERM, unix.EOPNOTSUPP, unix.ENODEV:
		return true
	}
	return false
}

// refuse returns the error that epoll would give if fd can't be added. A kqueue
// accepts files that are always ready, and a second add, after which the first
// one's owner would wait forever. A number that has a slot may have been closed
// and used again: then its filters are gone, and enabling one fails.
func (b *backend) refuse(fd int) error {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG, unix.S_IFDIR:
			return unix.EPERM
		}
	}
	if b.slots.has(fd) && b.change(fd, kqRead, kqEnable) == nil {
		return unix.EEXIST
	}
	return nil
}

func (b *backend) remove(fd int) error {
	if !b.slots.has(fd) {
		return unix.ENOENT
	}
	b.slots.clear(fd)
	return b.drop(fd)
}

// drop deletes the filters, one by one if the first call fails, because the
// kernel stops at the first change that fails.
func (b *backend) drop(fd int) error {
	var changes [2]kqEvent
	kqSet(&changes[0], fd, kqRead, kqDelete)
	kqSet(&changes[1], fd, kqWrite, kqDelete)
	if b.submit(changes[:]) == nil {
		return nil
	}
	readErr := b.change(fd, kqRead, kqDelete)
	writeErr := b.change(fd, kqWrite, kqDelete)
	if readErr != nil && !gone(readErr) {
		return readErr
	}
	if writeErr != nil && !gone(writeErr) {
		return writeErr
	}
	return nil
}

// gone reports whether err means that there was nothing to delete: the filter
// was never added (see onlyReads), or an interrupted call or the closing of the
// descriptor has deleted it.
func gone(err error) bool {
	return err == unix.ENOENT || err == unix.EBADF || err == unix.EINVAL
}

func (b *backend) change(fd, filter, flags int) error {
	var changes [1]kqEvent
	kqSet(&changes[0], fd, filter, flags)
	return b.submit(changes[:])
}

// submit repeats an interrupted call: adding again changes nothing, and
// deleting again gives an error that gone accepts.
func (b *backend) submit(changes []kqEvent) error {
	for {
		if _, err := kqCall(b.kq, changes, nil, nil); err != unix.EINTR {
			return err
		}
	}
}

// longest is a sleep that every kernel accepts; Darwin returns EINVAL for very
// long ones.
const longest = 10 * 24 * time.Hour

func (b *backend) poll(raw []rawEvent, timeout time.Duration) (int, error) {
	if len(b.slots.owed) > 0 {
		timeout = 0
	}
	var until *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(min(timeout, longest)))
		until = &ts
	}
	n, err := kqCall(b.kq, nil, raw, until)
	// ETIMEDOUT is undocumented but occurs (go.dev/issue/59679).
	if err == unix.EINTR || err == unix.ETIMEDOUT {
		return 0, nil
	}
	return n, err
}

func (b *backend) translate(raw []rawEvent, events []Event) ([]Event, bool) {
	b.slots.batch++
	woken := false
	for i := range raw {
		fd := int(raw[i].Ident)
		if fd == b.wake.read {
			b.wake.drain()
			woken = true
			continue
		}
		events = b.slots.merge(events, fd, readiness(&raw[i]))
	}
	if len(b.slots.owed) > 0 {
		events = b.pay(events)
	}
	return events, woken
}

// pay reports the end of writing for the descriptors whose WRITE filter was
// refused because the pipe has no reader: FreeBSD accepts READ for them and
// never reports it. A descriptor that was closed meanwhile has no READ filter.
func (b *backend) pay(events []Event) []Event {
	for _, fd := range b.slots.settle() {
		if b.slots.inBatch(fd) || b.change(fd, kqRead, kqEnable) == nil {
			events = b.slots.merge(events, fd, writeEnded)
		}
	}
	return events
}

// writeEnded is the meaning of WRITE with EV_EOF.
const writeEnded = Writable | Hangup | Readable

// readiness interprets EV_EOF by its filter: on READ the peer writes no more;
// on WRITE nothing more can be written, and slotTable.merge decides whether
// that is Hangup. The socket's error comes in fflags, and only with EV_EOF;
// EV_ERROR would be the result of a change.
func readiness(ev *kqEvent) (r Readiness) {
	eof := ev.Flags&kqEOF != 0
	switch ev.Filter {
	case kqRead:
		r = Readable
		if eof {
			// Writable too: some kernels report to the writing end of a pipe
			// only by READ that its reader is gone.
			r |= ReadClosed | Writable
		}
	case kqWrite:
		r = Writable
		if eof {
			r = writeEnded
		}
	}
	if eof && ev.Fflags != 0 || ev.Flags&kqError != 0 {
		r |= Failed | Readable | Writable
	}
	return r
}

func (b *backend) signal() error { return b.wake.signal() }

// close closes the queue, and with it all filters.
func (b *backend) close() error {
	b.slots = slotTable{}
	wakeErr := b.wake.close()
	if err := kqClose(b.kq); err != nil {
		return err
	}
	return wakeErr
}
