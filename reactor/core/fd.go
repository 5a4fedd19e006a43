package core

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
)

// An FD is a file descriptor that tasks wait for: the basis of socket types. It
// remembers readiness, so that a task that finds it ready makes no system call
// to find out, and it never forgets that the peer has hung up.
//
// It is always used in the same way: wait, try, and report if the kernel would
// have blocked.
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
// Unless documented otherwise, methods may be called only by the running task,
// or by a callback, of the FD's loop, and panic elsewhere. Those that follow
// the system call do not check the caller again: ReadBlocked, WriteBlocked,
// ReadDrained, UnlockWrite, Shared and IsScratch. [InnerFD] has more methods,
// which never check. Any number of tasks may wait.
//
// Invariants: while open, the loop's table has f in its slot, and f is
// registered with the kernel under that slot and its generation. A task is in a
// direction's waiters only while parked. A direction's flag is clear only if
// the kernel has reported, since the flag was last set, that it would block.
type FD struct {
	_     noCopy
	loop  *Loop
	kind  atomic.Pointer[FDKind] // nil for a borrowed fd; replaced by Share
	sysfd int32                  // fds are ints in C
	slot  uint32
	lock  atomic.Int32 // see LockWrite; for a borrowed fd: number of waiters
	flags ioFlags
	read  direction
	write direction
	queue WaitList             // tasks that wait for the lock
	side  atomic.Pointer[Side] // nil if only the loop uses the descriptor
}

type ioFlags uint8

const (
	canRead ioFlags = 1 << iota
	canWrite
	undrained // the peer has hung up, or sent urgent data: a short read does not mean that the next one blocks
	closed
	unpolled // not yet registered with the poller: see OpenLate
	apart    // used only by its Side so far: see OpenApart
	timed    // a deadline was set in at least one direction; until then none need be checked
)

// A direction is the state of reading or of writing, with its waiters.
type direction struct {
	waiters  WaitList
	deadline atomic.Pointer[ioDeadline] // made when first set; stored only by the loop
}

// OpenKind registers a nonblocking fd with ctx's loop; f must be a zero FD,
// which may be part of a larger structure. f then owns the fd: Close, or the
// loop's end, closes it in the way of its kind. A new FD counts as writable,
// and as not readable until the kernel reports it. If the fd can't be polled,
// OpenKind returns the kernel's error and f does not own the fd. OpenKind may
// be called by tasks and callbacks of the loop.
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

// String describes f in traces and deadlock reports.
func (f *FD) String() string { return fmt.Sprintf("fd %d", f.sysfd) }

// Close makes f unusable, wakes all waiters with [os.ErrClosed], and closes the
// file descriptor. A second Close returns os.ErrClosed.
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

// shut is Close for an fd that is no longer registered with the poller.
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
