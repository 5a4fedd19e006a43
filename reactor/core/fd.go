package core

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
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
// UnlockWrite, Shared and IsScratch. [InnerFD] has the others without the question,
// for those who have asked it. Any number of tasks may wait.
//
// Invariants: while open, the loop's table has f in its slot, and the kernel has
// it registered under that slot and its generation. A task stands in a
// direction's waiters only while parked. A direction's flag is down only if the
// kernel said, after the flag was last raised, that it would block.
type FD struct {
	_     noCopy
	loop  *Loop
	kind  atomic.Pointer[FDKind] // nil for an fd that somebody else owns; stored by the loop alone
	sysfd int32                  // fds are ints in C
	slot  uint32
	lock  atomic.Int32 // see LockWrite; of an fd that somebody else owns: how many wait
	flags ioFlags
	read  direction
	write direction
	queue WaitList             // tasks that wait for the lock
	side  atomic.Pointer[Side] // nil if only the loop uses the descriptor
}

// An FDKind is what FDs have in common, as all that one listener accepts. It is not
// changed once an FD has it.
type FDKind struct {
	Sockets sockets.Calls

	// Before, if set, is called before the descriptor is closed. Close, if set, closes
	// it in place of Sockets.Close.
	Before func()
	Close  func(fd int) error

	Drains   bool // a read that does not fill its buffer has taken all there was
	Datagram bool // 0 bytes read are an empty datagram, not the end

	real   bool // the Sockets are the system's own
	shared bool // see FD.Share
	plain  bool // real, and not shared
}

// KindOf returns a kind of descriptors of these socket calls.
func KindOf(sys sockets.Calls) FDKind {
	_, real := sys.(sockets.System)
	return FDKind{Sockets: sys, real: real, plain: real}
}

// Real reports whether Sockets are the system's own.
func (k *FDKind) Real() bool { return k.real }

// Plain reports whether Sockets are the system's own, and nobody else has the file
// description, see [FD.Share].
func (k *FDKind) Plain() bool { return k.plain }

// CloseFD closes a descriptor of this kind.
func (k *FDKind) CloseFD(fd int) error {
	if k.Before != nil {
		k.Before()
	}
	if k.Close != nil {
		return k.Close(fd)
	}
	return k.Sockets.Close(fd)
}

type ioFlags uint8

const (
	canRead ioFlags = 1 << iota
	canWrite
	undrained // the peer has hung up, or sent urgent data: a short read does not mean that the next one blocks
	closed
	unpolled // the poller does not know it yet: see OpenLate
	apart    // only its Side uses it yet: see OpenApart
)

// A direction is one of the two ways that data goes, and who waits for it.
type direction struct {
	waiters  WaitList
	deadline atomic.Pointer[ioDeadline] // made when first set; stored by the loop alone
}

// Open puts a nonblocking fd under ctx's loop; f must be a zero FD, which may be
// part of a larger structure. f then owns the fd: Close, or the loop's end,
// closes it by calling close. A new FD counts as writable, and as not readable
// until the kernel says so. On an error, the kernel's, if the fd can't be
// polled, f owns nothing. Open may be called by tasks and callbacks of the loop.
func (f *FD) Open(ctx context.Context, sysfd int, close func(fd int) error) error {
	s := Under(ctx, "FD.Open")
	s.loop.OnLoop("FD.Open")
	if close == nil {
		close = func(int) error { return nil }
	}
	return f.open(s.loop, sysfd, &FDKind{Close: close})
}

// OpenKind is like [FD.Open], with what closes the fd in its kind.
func (f *FD) OpenKind(ctx context.Context, sysfd int, kind *FDKind) error {
	s := Under(ctx, "FD.OpenKind")
	s.loop.OnLoop("FD.OpenKind")
	return f.open(s.loop, sysfd, kind)
}

// OpenLike is like [FD.OpenKind], on the loop of another FD.
func (f *FD) OpenLike(other *FD, sysfd int, kind *FDKind) error {
	other.loop.OnLoop("FD.OpenLike")
	return f.open(other.loop, sysfd, kind)
}

func (f *FD) open(l *Loop, sysfd int, kind *FDKind) error {
	f.loop, f.sysfd = l, int32(sysfd)
	f.kind.Store(kind)
	f.flags = canWrite
	l.fds.evict(sysfd)
	return l.fds.add(f)
}

// Sysfd returns the file descriptor, or -1 once f is closed. It may be called
// from anywhere, though not while Close runs.
func (f *FD) Sysfd() int { return int(f.sysfd) }

// Loop returns the FD's loop. It may be called from anywhere.
func (f *FD) Loop() *Loop { return f.loop }

// OnLoop reports whether the caller is the running task, or a callback, of the
// FD's loop. It may be called from anywhere, and costs about 2 ns.
func (f *FD) OnLoop() bool { return f.loop.OnThread() }

// WaitRead returns when a read may not block. Until then it suspends the
// running task. The error is [os.ErrClosed] when f is closed,
// [os.ErrDeadlineExceeded] when the read deadline has passed, and that of the
// innermost scope that the task is in, when that is done. A task that never has
// to wait yields from time to time all the same.
func (f *FD) WaitRead() error {
	f.loop.OnLoop("FD.WaitRead")
	return f.wait(&f.read, canRead)
}

// WaitWrite is like [FD.WaitRead], for writing.
func (f *FD) WaitWrite() error {
	f.loop.OnLoop("FD.WaitWrite")
	return f.wait(&f.write, canWrite)
}

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
	f.loop.OnLoop("FD.RetryRead")
	f.notify(eddy.Readable)
}

// RetryWrite is like [FD.RetryRead], for writing.
func (f *FD) RetryWrite() {
	f.loop.OnLoop("FD.RetryWrite")
	f.notify(eddy.Writable)
}

// CheckRead returns the error that [FD.WaitRead] would return at once. It is nil
// if that would return nil, or wait: for who tries first, and then waits.
func (f *FD) CheckRead() error {
	f.loop.OnLoop("FD.CheckRead")
	return f.check(&f.read)
}

// CheckWrite is like [FD.CheckRead], for writing.
func (f *FD) CheckWrite() error {
	f.loop.OnLoop("FD.CheckWrite")
	return f.check(&f.write)
}

// WriteErr returns the error that every write has at present, whoever calls: that
// f is closed, or that its write deadline has passed. Unlike [FD.CheckWrite] it
// never lets others run, and may be asked any number of times.
func (f *FD) WriteErr() error {
	f.loop.OnLoop("FD.WriteErr")
	switch {
	case f.flags&closed != 0:
		return os.ErrClosed
	case f.write.late():
		return os.ErrDeadlineExceeded
	}
	return nil
}

func (f *FD) check(d *direction) error {
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
	w := f.loop.cur
	late := d.late()
	for {
		switch {
		case f.flags&closed != 0:
			w.insist()
			return os.ErrClosed
		case late || d.passed():
			w.insist()
			return os.ErrDeadlineExceeded
		case w.task == nil:
			if f.flags&can != 0 {
				return nil
			}
			if f.flags&(unpolled|apart) == 0 {
				return errInCallback
			}
			if err := f.attach(); err != nil {
				return err
			}
		case w.scope.reason.Load() != nil || w.loop.cutting:
			return w.refuse(w.scope)
		case f.flags&can != 0 && w.budget > 1:
			w.budget--
			return nil
		case f.flags&can != 0:
			w.Yield()
		case f.flags&(unpolled|apart) != 0:
			if err := f.attach(); err != nil {
				return err
			}
		default:
			s := w.scope
			d.waiters.Push(&w.node)
			f.loop.ioWaits++
			w.Park(s, f)
			f.loop.ioWaits--
			if w.woken == WokenCanceled {
				return s.AwaitErr()
			}
		}
	}
}

// Awaited reports whether anybody waits for f, to read or to write.
func (f *FD) Awaited() bool {
	f.loop.OnLoop("FD.Awaited")
	return !f.read.waiters.Empty() || !f.write.waiters.Empty()
}

var errInCallback = errors.New("reactor: the operation would have to wait, which a callback can't: start a task with reactor.Go and do it there")

// String says what a task waits for that waits for f.
func (f *FD) String() string { return fmt.Sprintf("fd %d", f.sysfd) }

// Close makes f unusable, wakes all who wait for it with [os.ErrClosed], and
// closes the file descriptor. A second Close returns os.ErrClosed.
func (f *FD) Close() error {
	f.loop.OnLoop("FD.Close")
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	if f.flags&(unpolled|apart) == 0 {
		f.loop.poller.Remove(f.Sysfd())
	}
	return f.shut()
}

// shut is Close, for an fd that the poller no longer knows.
func (f *FD) shut() error {
	f.flags |= closed
	if f.flags&apart == 0 {
		f.loop.fds.remove(f)
	}
	for _, d := range []*direction{&f.read, &f.write} {
		if own := d.deadline.Load(); own != nil {
			own.timer.Stop()
		}
		d.waiters.WakeAll(WokenClosed)
	}
	f.queue.WakeAll(WokenClosed)
	if f.kind.Load() == nil {
		f.sysfd = -1
		return nil
	}
	return f.closeFD()
}

// notify takes in what the kernel says of f.
func (f *FD) notify(r eddy.Readiness) {
	if r&(eddy.ReadClosed|eddy.Hangup|eddy.Failed|eddy.Urgent) != 0 {
		f.flags |= undrained
	}
	if r&eddy.Readable != 0 {
		f.flags |= canRead
		f.read.waiters.WakeAll(WokenDone)
	}
	if r&eddy.Writable != 0 {
		f.flags |= canWrite
		f.write.waiters.WakeAll(WokenDone)
	}
}

// An ioDeadline is the deadline of one direction.
type ioDeadline struct {
	dir    *direction
	passed bool
	at     atomic.Int64 // the loop time, for all goroutines; 0: none
	timer  Alarm
}

// SetReadDeadline makes reads that wait at t, or begin later, fail with
// [os.ErrDeadlineExceeded], until another deadline is set. The zero t means
// none. While a deadline is set, each read costs a look at the clock.
func (f *FD) SetReadDeadline(t time.Time) error { return f.setDeadline(&f.read, t) }

// SetWriteDeadline is like [FD.SetReadDeadline], for writes.
func (f *FD) SetWriteDeadline(t time.Time) error { return f.setDeadline(&f.write, t) }

func (f *FD) setDeadline(dir *direction, t time.Time) error {
	l := f.loop
	l.OnLoop("setting a deadline")
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	d := dir.deadline.Load()
	if d == nil {
		if t.IsZero() {
			return nil
		}
		d = &ioDeadline{dir: dir}
		d.timer.Init(l, d.pass)
		dir.deadline.Store(d)
	}
	d.passed = false
	if t.IsZero() {
		d.at.Store(0)
		d.timer.Stop()
		return nil
	}
	when := l.timeAtFD(t, f.Sysfd())
	d.at.Store(max(1, when))
	if when > l.Now() {
		d.timer.Set(when)
	} else {
		d.timer.Stop()
		d.pass()
	}
	return nil
}

// late reports whether the direction's deadline has passed. A task that computes
// holds up the deadline's timer, so the clock is asked, but only while a deadline
// is set.
func (d *direction) late() bool {
	own := d.deadline.Load()
	return own != nil && own.late()
}

// passed is late without a look at the clock.
func (d *direction) passed() bool {
	own := d.deadline.Load()
	return own != nil && own.passed
}

func (d *ioDeadline) late() bool {
	if !d.passed && d.timer.when != 0 && d.timer.loop.Now() >= d.timer.when {
		d.timer.Stop()
		d.pass()
	}
	return d.passed
}

func (d *ioDeadline) pass() {
	d.passed = true
	d.dir.waiters.WakeAll(WokenTimer)
}

// timeOf returns the loop time of a wall-clock time.
func (l *Loop) timeOf(t time.Time) int64 {
	d := t.Sub(l.wall)
	if d > MaxTime-time.Duration(l.wallAt) {
		return int64(MaxTime)
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
func (t *fdTable) borrow(l *Loop, fd int) (*FD, error) {
	f := t.foreign[fd]
	if f != nil {
		l.poller.Remove(fd)
		t.remove(f)
	} else {
		f = &FD{loop: l, sysfd: int32(fd)}
	}
	if err := t.add(f); err != nil {
		if f.lock.Load() > 0 {
			delete(t.foreign, fd)
			f.read.waiters.WakeAll(WokenClosed)
			f.write.waiters.WakeAll(WokenClosed)
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

// Borrow registers an fd that may be anybody's, and lets x wait in a direction: 0 is
// reading, 1 is writing. Once x has left the list, giveBack undoes it.
func (l *Loop) Borrow(fd, dir int, x *Waiter) (*FD, error) {
	f, err := l.fds.borrow(l, fd)
	if err != nil {
		return nil, err
	}
	f.lock.Add(1)
	f.direction(dir).waiters.Push(x)
	return f, nil
}

// FDWaits counts the tasks and callbacks that wait for an fd: n more of them. While
// there are any, the loop is not deadlocked.
func (l *Loop) FDWaits(n int) { l.ioWaits += n }

// IsClosed reports whether f is closed.
func (f *FD) IsClosed() bool { return f.flags&closed != 0 }

// GiveBack undoes what a user of borrow did; the last one ends the registration.
func (f *FD) GiveBack() {
	if f.lock.Add(-1) == 0 && f.flags&closed == 0 {
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
