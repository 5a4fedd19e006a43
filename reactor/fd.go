package reactor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/sockets"
)

// An FD is a file descriptor that tasks wait for: what a socket type is built
// on. It remembers readiness, so that a task which finds it ready makes no
// call to find out, and it never forgets that the peer has hung up.
//
// Use is always the same: wait, try, and say so when the kernel would block.
//
//	for {
//		if err := f.WaitRead(); err != nil {
//			return 0, err
//		}
//		n, errno := read(f.Sysfd(), p)
//		if errno != syscall.EAGAIN {
//			return n, errno
//		}
//		f.ReadBlocked()
//	}
//
// Unless a method says otherwise, it may be called only by the running task, or
// by a callback, of the FD's loop, and panics elsewhere. Those that follow the
// system call do not ask again who calls: ReadBlocked, WriteBlocked, ReadDrained,
// UnlockWrite, Shared and IsScratch. Any number of tasks may wait.
//
// Invariants: while open, the loop's table has f in its slot, and the kernel has
// it registered under that slot and its generation. A task stands in a
// direction's waiters only while parked. A direction's flag is down only if the
// kernel said, after the flag was last raised, that it would block.
type FD struct {
	_     noCopy
	loop  *loop
	close func(fd int) error // nil for an fd that somebody else owns
	sysfd int32              // fds are ints in C
	slot  uint32
	users int32 // of an fd that somebody else owns: how many wait; else see Hold
	flags ioFlags
	read  direction
	write direction
	queue waitList // writers that wait for the one that has the lock
}

type ioFlags uint8

const (
	canRead ioFlags = 1 << iota
	canWrite
	undrained // the peer has hung up, or sent urgent data: a short read does not mean that the next one blocks
	writing
	closed
	shared // see Share
)

// A direction is one of the two ways that data goes, and who waits for it.
type direction struct {
	waiters  waitList
	deadline *ioDeadline // made when first set
}

// Open puts a nonblocking fd under ctx's loop; f must be a zero FD, which may be
// part of a larger structure. f then owns the fd: Close, or the loop's end,
// closes it by calling close. A new FD counts as writable, and as not readable
// until the kernel says so. On an error, the kernel's, if the fd can't be
// polled, f owns nothing. Open may be called by tasks and callbacks of the loop.
func (f *FD) Open(ctx context.Context, sysfd int, close func(fd int) error) error {
	s := scopeOf(ctx, "FD.Open")
	s.loop.onLoop("FD.Open")
	return f.open(s.loop, sysfd, close)
}

// OpenLike is as [FD.Open], on the loop of another FD.
func (f *FD) OpenLike(other *FD, sysfd int, close func(fd int) error) error {
	other.loop.onLoop("FD.OpenLike")
	return f.open(other.loop, sysfd, close)
}

func (f *FD) open(l *loop, sysfd int, close func(fd int) error) error {
	f.loop, f.sysfd, f.close = l, int32(sysfd), close
	f.flags = canWrite
	l.fds.evict(sysfd)
	return l.fds.add(f)
}

// Sysfd returns the file descriptor, or -1 once f is closed. It may be called
// from anywhere, though not while Close runs.
func (f *FD) Sysfd() int { return int(f.sysfd) }

// Loop returns the FD's loop. It may be called from anywhere.
func (f *FD) Loop() *Loop { return facadeOf(f.loop) }

// OnLoop says whether the caller is the running task, or a callback, of the
// FD's loop. It may be called from anywhere, and costs about 2 ns.
func (f *FD) OnLoop() bool { return f.loop.onThread() }

// WaitRead returns when a read may not block. Until then it suspends the
// running task. The error is [os.ErrClosed] when f is closed,
// [os.ErrDeadlineExceeded] when the read deadline has passed, and that of the
// innermost scope that the task is in, when that is done. A task that never has
// to wait yields from time to time all the same.
func (f *FD) WaitRead() error { return f.wait(&f.read, canRead) }

// WaitWrite is as [FD.WaitRead], for writing.
func (f *FD) WaitWrite() error { return f.wait(&f.write, canWrite) }

// ReadBlocked says that a read would have blocked: the next WaitRead waits for
// the kernel's word.
func (f *FD) ReadBlocked() { f.flags &^= canRead }

// WriteBlocked says that a write would have blocked.
func (f *FD) WriteBlocked() { f.flags &^= canWrite }

// ReadDrained says that a read took all there was, as one of a TCP stream that
// did not fill its buffer has. It is ReadBlocked, unless the peer has hung up,
// for then there is an end of file still to be read, or has sent urgent data,
// for a read stops short at its mark.
func (f *FD) ReadDrained() {
	if f.flags&undrained == 0 {
		f.flags &^= canRead
	}
}

// RetryRead takes ReadBlocked back, and makes those that wait to read try again:
// for changes of which the kernel sends no word.
func (f *FD) RetryRead() {
	f.loop.onLoop("FD.RetryRead")
	f.notify(eddy.Readable)
}

// RetryWrite is as [FD.RetryRead], for writing.
func (f *FD) RetryWrite() {
	f.loop.onLoop("FD.RetryWrite")
	f.notify(eddy.Writable)
}

// CheckRead returns the error that [FD.WaitRead] would return at once. It is nil
// if that would return nil, or wait: for who tries first, and then waits.
func (f *FD) CheckRead() error { return f.check(&f.read) }

// CheckWrite is as [FD.CheckRead], for writing.
func (f *FD) CheckWrite() error { return f.check(&f.write) }

// WriteErr returns the error that every write has at present, whoever calls: that
// f is closed, or that its write deadline has passed. Unlike [FD.CheckWrite] it
// never lets others run, and may be asked any number of times.
func (f *FD) WriteErr() error {
	f.loop.onLoop("FD.WriteErr")
	switch {
	case f.flags&closed != 0:
		return os.ErrClosed
	case f.write.late():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (f *FD) check(d *direction) error {
	f.loop.onLoop("FD.CheckRead or FD.CheckWrite")
	w := f.loop.cur
	switch {
	case f.flags&closed != 0:
		w.insist()
		return os.ErrClosed
	case d.late():
		w.insist()
		return os.ErrDeadlineExceeded
	case w.task != nil && (w.scope.reason.Load() != nil || w.loop.cutting):
		return w.refuse(w.scope)
	}
	return nil
}

func (f *FD) wait(d *direction, can ioFlags) error {
	f.loop.onLoop("FD.WaitRead or FD.WaitWrite")
	w := f.loop.cur
	late := d.late()
	for {
		switch {
		case f.flags&closed != 0:
			w.insist()
			return os.ErrClosed
		case late || d.deadline != nil && d.deadline.passed:
			w.insist()
			return os.ErrDeadlineExceeded
		case w.task == nil:
			if f.flags&can != 0 {
				return nil
			}
			return errInCallback
		case w.scope.reason.Load() != nil || w.loop.cutting:
			return w.refuse(w.scope)
		case f.flags&can != 0 && w.budget > 1:
			w.budget--
			return nil
		case f.flags&can != 0:
			w.yield()
		default:
			s := w.scope
			d.waiters.push(&w.node)
			f.loop.ioWaits++
			w.park(s, f)
			f.loop.ioWaits--
			if w.woken == wokenCanceled {
				return s.awaitErr()
			}
		}
	}
}

// LockWrite makes the running task the only writer, so that a long write which
// has to wait in its midst is not interleaved with another. Others wait in
// order. The error is as that of [FD.WaitWrite]; then the lock was not taken.
func (f *FD) LockWrite() error {
	f.loop.onLoop("FD.LockWrite")
	w := f.loop.cur
	switch {
	case f.flags&closed != 0:
		w.insist()
		return os.ErrClosed
	case f.flags&writing == 0:
		f.flags |= writing
		return nil
	case w.task == nil:
		return errInCallback
	case w.scope.reason.Load() != nil || w.loop.cutting:
		return w.refuse(w.scope)
	}
	s := w.scope
	f.queue.push(&w.node)
	switch w.park(s, f) {
	case wokenCanceled:
		return s.awaitErr()
	case wokenClosed:
		return os.ErrClosed
	}
	return nil // handed over, still locked
}

// Awaited reports whether anybody waits for f, to read or to write.
func (f *FD) Awaited() bool {
	f.loop.onLoop("FD.Awaited")
	return !f.read.waiters.empty() || !f.write.waiters.empty()
}

// CanWrite reports whether the running task may write without waiting for anything:
// neither for room, nor for another writer, nor because it is cancelled or late.
func (f *FD) CanWrite() bool {
	f.loop.onLoop("FD.CanWrite")
	w := f.loop.cur
	return f.flags&(canWrite|writing|closed) == canWrite && !f.write.late() &&
		(w.task == nil || w.scope.reason.Load() == nil && !w.loop.cutting)
}

// UnlockWrite passes the lock on to the writer that has waited longest.
func (f *FD) UnlockWrite() {
	if !f.queue.wakeFirst(wokenDone) {
		f.flags &^= writing
	}
}

var errInCallback = errors.New("reactor: the operation would have to wait, which a callback can't: start a task with reactor.Go and do it there")

// String says what a task waits for that waits for f.
func (f *FD) String() string { return fmt.Sprintf("fd %d", f.sysfd) }

// Close makes f unusable, wakes all who wait for it with [os.ErrClosed], and
// closes the file descriptor. A second Close returns os.ErrClosed.
func (f *FD) Close() error {
	f.loop.onLoop("FD.Close")
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	f.loop.poller.Remove(f.Sysfd())
	return f.shut()
}

// shut is Close, for an fd that the poller no longer knows.
func (f *FD) shut() error {
	f.flags |= closed
	f.loop.fds.remove(f)
	for _, d := range []*direction{&f.read, &f.write} {
		if d.deadline != nil {
			d.deadline.timer.stop()
		}
		d.waiters.wakeAll(wokenClosed)
	}
	f.queue.wakeAll(wokenClosed)
	fd := f.Sysfd()
	f.sysfd = -1
	if f.close == nil || f.closedByHolders() {
		return nil
	}
	return f.close(fd)
}

// notify takes in what the kernel says of f.
func (f *FD) notify(r eddy.Readiness) {
	if r&(eddy.ReadClosed|eddy.Hangup|eddy.Failed|eddy.Urgent) != 0 {
		f.flags |= undrained
	}
	if r&eddy.Readable != 0 {
		f.flags |= canRead
		f.read.waiters.wakeAll(wokenDone)
	}
	if r&eddy.Writable != 0 {
		f.flags |= canWrite
		f.write.waiters.wakeAll(wokenDone)
	}
}

// An ioDeadline is the deadline of one direction.
type ioDeadline struct {
	dir    *direction
	passed bool
	timer  alarm
}

// SetReadDeadline makes reads that wait at t, or begin later, fail with
// [os.ErrDeadlineExceeded], until another deadline is set. The zero t means
// none. While a deadline is set, each read costs a look at the clock.
func (f *FD) SetReadDeadline(t time.Time) error { return f.setDeadline(&f.read, t) }

// SetWriteDeadline is as [FD.SetReadDeadline], for writes.
func (f *FD) SetWriteDeadline(t time.Time) error { return f.setDeadline(&f.write, t) }

func (f *FD) setDeadline(dir *direction, t time.Time) error {
	l := f.loop
	l.onLoop("setting a deadline")
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	d := dir.deadline
	if d == nil {
		if t.IsZero() {
			return nil
		}
		d = &ioDeadline{dir: dir}
		d.timer.init(l, d.pass)
		dir.deadline = d
	}
	d.passed = false
	if t.IsZero() {
		d.timer.stop()
	} else if when := l.timeAtFD(t, f.Sysfd()); when > l.now() {
		d.timer.set(when)
	} else {
		d.timer.stop()
		d.pass()
	}
	return nil
}

// late reports whether the direction's deadline has passed. A task that computes
// holds up the deadline's timer, so the clock is asked, but only while a deadline
// is set.
func (d *direction) late() bool {
	if d.deadline == nil {
		return false
	}
	return d.deadline.late()
}

func (d *ioDeadline) late() bool {
	if !d.passed && d.timer.when != 0 && d.timer.loop.now() >= d.timer.when {
		d.timer.stop()
		d.pass()
	}
	return d.passed
}

func (d *ioDeadline) pass() {
	d.passed = true
	d.dir.waiters.wakeAll(wokenTimer)
}

// timeOf returns the loop time of a wall-clock time.
func (l *loop) timeOf(t time.Time) int64 {
	d := t.Sub(l.wall)
	if d > maxTime-time.Duration(l.wallAt) {
		return int64(maxTime)
	}
	return l.wallAt + int64(d)
}

// An fdTable is the loop's FDs. The kernel reports a slot and its generation,
// which grows each time the slot changes hands: an event that was under way when
// its FD was closed finds another generation there, and wakes nobody.
type fdTable struct {
	slots   []fdSlot
	free    []uint32
	n       int         // slots in use
	foreign map[int]*FD // those of WaitReadable and WaitWritable
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
	if err := f.loop.poller.Add(f.Sysfd(), uint64(s.generation)<<32|uint64(f.slot)); err != nil {
		return err
	}
	t.free = t.free[:last]
	s.fd = f
	t.n++
	return nil
}

func (t *fdTable) remove(f *FD) {
	s := &t.slots[f.slot]
	s.fd = nil
	s.generation++
	t.free = append(t.free, f.slot)
	t.n--
}

func (t *fdTable) dispatch(e eddy.Event) {
	slot := uint32(e.Token)
	if int(slot) < len(t.slots) {
		if s := t.slots[slot]; s.fd != nil && s.generation == uint32(e.Token>>32) {
			s.fd.notify(e.Ready)
		}
	}
}

// evict drops an FD that waited for a number which has turned out to be
// somebody else's by now: its owner has closed it.
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

// borrow registers an fd for those who wait for it now. It registers anew if
// somebody waits already: only then does an edge-triggered poller tell the
// present state, which the earlier ones may have been told and used up.
func (t *fdTable) borrow(l *loop, fd int) (*FD, error) {
	f := t.foreign[fd]
	if f != nil {
		l.poller.Remove(fd)
		t.remove(f)
	} else {
		f = &FD{loop: l, sysfd: int32(fd)}
	}
	if err := t.add(f); err != nil {
		if f.users > 0 {
			delete(t.foreign, fd)
			f.read.waiters.wakeAll(wokenClosed)
			f.write.waiters.wakeAll(wokenClosed)
			f.flags |= closed
		}
		return nil, err
	}
	if t.foreign == nil {
		t.foreign = make(map[int]*FD)
	}
	t.foreign[fd] = f
	return f, nil
}

// borrow registers an fd that may be anybody's, and lets x wait in a direction: 0 is
// reading, 1 is writing. Once x has left the list, giveBack undoes it.
func (l *loop) borrow(fd, dir int, x *waiter) (*FD, error) {
	f, err := l.fds.borrow(l, fd)
	if err != nil {
		return nil, err
	}
	f.users++
	f.direction(dir).waiters.push(x)
	return f, nil
}

// FDWaits counts the tasks and callbacks that wait for an fd: n more of them. While
// there are any, the loop is not deadlocked.
func (l *loop) FDWaits(n int) { l.ioWaits += n }

// isClosed reports whether f is closed.
func (f *FD) isClosed() bool { return f.flags&closed != 0 }

// giveBack undoes what a user of borrow did; the last one ends the registration.
func (f *FD) giveBack() {
	if f.users--; f.users == 0 && f.flags&closed == 0 {
		delete(f.loop.fds.foreign, f.Sysfd())
		f.Close()
	}
}

// direction returns the way that data goes: 0 is reading, 1 is writing.
func (f *FD) direction(dir int) *direction {
	if dir == 0 {
		return &f.read
	}
	return &f.write
}

// Sockets returns the socket calls of ctx's loop (see [Options]), or the
// system's own if ctx belongs to no loop.
func Sockets(ctx context.Context) sockets.Calls {
	if s := nearest(ctx); s != nil {
		return s.loop.socketsOf(ctx)
	}
	return sockets.System{}
}
