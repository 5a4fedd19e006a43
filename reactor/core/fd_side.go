package core

import (
	"context"
	"os"
	"time"

	"github.com/eddyio/eddy/sockets"
)

// A Side is the side of an FD other than the loop: goroutines, with a poller of
// their own. Once there is one it owns the descriptor together with the loop,
// and closes it.
type Side struct{ Sharer }

// A Sharer has the methods of a [Side] that the loop calls. They are called on
// the loop, and must not wait for a goroutine.
type Sharer interface {
	// CloseFD closes the descriptor when the loop no longer uses it. It is
	// called once.
	CloseFD(fd int) error
	// Attach is called when the loop begins to use the descriptor. It returns
	// false if that is closed. It is called only after [FD.OpenApart].
	Attach() bool
	// GrantWrite passes the write lock to the goroutine that has waited
	// longest, and reports whether there is one. If not, it calls NobodyWaits.
	GrantWrite() bool
}

// closedSide is the Side of an FD that was closed without one.
var closedSide = new(Side)

// Join makes s the Side of f, unless f has one, and returns f's Side. It
// returns nil if f is closed. It may be called from anywhere.
func (f *FD) Join(s *Side) *Side {
	if !f.side.CompareAndSwap(nil, s) {
		s = f.side.Load()
	}
	if s == closedSide {
		return nil
	}
	return s
}

// Side returns f's Side, or nil if it has none. It may be called from anywhere.
func (f *FD) Side() *Side {
	if s := f.side.Load(); s != closedSide {
		return s
	}
	return nil
}

// OpenLate is like [FD.OpenKind], but registers f with the poller only when a
// task waits for it: another poller may serve f.
func (f *FD) OpenLate(ctx context.Context, sysfd int, kind *FDKind) error {
	s := Under(ctx, "FD.OpenLate")
	s.loop.OnLoop("FD.OpenLate")
	f.loop, f.sysfd = s.loop, int32(sysfd)
	f.kind.Store(kind)
	f.flags = canWrite | unpolled
	s.loop.fds.evict(sysfd)
	return s.loop.fds.add(f)
}

// OpenApart opens f without registering it with its loop: only its Side uses
// the descriptor until a task does. It may be called from anywhere.
func (f *FD) OpenApart(l *Loop, sysfd int, kind *FDKind, s *Side) {
	f.loop, f.sysfd = l, int32(sysfd)
	f.kind.Store(kind)
	f.flags = apart
	f.side.Store(s)
}

// Adopt makes f, opened by [FD.OpenApart], the loop's too: the loop closes it at its
// end. It still registers f with the poller only when a task waits. Adopt does
// not wait for the loop. It returns false if the loop has ended. It may be
// called from anywhere.
func (f *FD) Adopt() bool {
	return f.loop.Post(func() {
		if f.flags&(apart|closed) == apart {
			f.adopt()
		}
	})
}

// adopt makes an FD that is apart one of the loop's, which is not yet
// registered with the poller. It returns false if the descriptor is closed.
func (f *FD) adopt() bool {
	if !f.side.Load().Attach() {
		f.flags |= closed
		f.sysfd = -1
		return false
	}
	f.flags = f.flags&^apart | canWrite | unpolled
	f.loop.fds.evict(f.Sysfd())
	f.loop.fds.add(f) // fails only in the poller
	return true
}

// attach makes the loop use f, after OpenApart or OpenLate.
func (f *FD) attach() error {
	if f.flags&apart != 0 && !f.adopt() {
		return os.ErrClosed
	}
	if err := f.loop.fds.poll(f); err != nil {
		return err
	}
	f.flags &^= unpolled
	return nil
}

// Attach makes the loop use f, if it was opened by [FD.OpenApart]. Waits do it
// themselves.
func (f *InnerFD) Attach() error {
	if f.flags&(apart|closed) != apart {
		return nil
	}
	return (*FD)(f).attach()
}

// closeFD closes the descriptor, or leaves that to the Side. It clears sysfd only
// after CloseFD, so that a Side that reads sysfd meanwhile knows f to be closed.
func (f *FD) closeFD() error {
	fd := f.Sysfd()
	if f.side.CompareAndSwap(nil, closedSide) {
		f.sysfd = -1
		return f.kind.Load().CloseFD(fd)
	}
	err := f.side.Load().CloseFD(fd)
	f.sysfd = -1
	return err
}

// Kind returns f's kind. It may be called from anywhere.
func (f *FD) Kind() *FDKind { return f.kind.Load() }

// ReadDeadline returns the read deadline in loop time, see [Loop.Now], or 0 if there
// is none. It may be called from anywhere.
func (f *FD) ReadDeadline() time.Duration { return f.read.at() }

// WriteDeadline is like [FD.ReadDeadline], for writes.
func (f *FD) WriteDeadline() time.Duration { return f.write.at() }

func (d *direction) at() time.Duration {
	if own := d.deadline.Load(); own != nil {
		return time.Duration(own.at.Load())
	}
	return 0
}

// Tell makes the loop call do before its next step. It returns false, and do is
// not called, if the loop has ended. It may be called from anywhere.
func (f *FD) Tell(do func()) bool { return f.loop.Post(do) }

// Apart reports whether the caller is a goroutine that can use sockets without
// the loop: they are the system's, and the loop has not ended. It may be called
// from anywhere.
func (l *Loop) Apart() bool {
	_, real := l.sockets.(sockets.System)
	return real && l.sim == nil && !l.OnThread() && !l.finished.Load()
}

// The methods that follow are for the goroutines of f's Side.

// TryLockApart takes the write lock for a goroutine of f's Side, if it is free.
func (f *FD) TryLockApart() bool { return f.lock.CompareAndSwap(0, locked) }

// LockApart takes the write lock, or makes the lock call the Side's GrantWrite
// when it is free. The Side must lock out GrantWrite until it has recorded the
// waiting goroutine.
func (f *FD) LockApart() (taken bool) { return f.lockOr(goroutinesWait) }

// NobodyWaits records that no goroutine waits for the lock any more.
func (f *FD) NobodyWaits() { f.lock.And(^goroutinesWait) }

// UnlockApart releases the lock that a goroutine holds. If it returns false,
// only goroutines wait, and the Side must choose one of them.
func (f *FD) UnlockApart() bool {
	for {
		v := f.lock.Load()
		switch {
		case v == locked:
			if f.lock.CompareAndSwap(v, 0) {
				return true
			}
		case v&tasksWait != 0 && f.loop.Post(f.lockHandedOver):
			return true
		case v&goroutinesWait != 0:
			return false
		default: // the loop has ended, and its tasks
			if f.lock.CompareAndSwap(v, 0) {
				return true
			}
		}
	}
}

// lockHandedOver gives the lock, which a goroutine has released, to a task.
func (f *FD) lockHandedOver() {
	if !f.queue.WakeFirst(WokenDone) {
		f.lock.And(^tasksWait)
		f.UnlockWrite()
	} else if f.queue.Empty() {
		f.lock.And(^tasksWait)
	}
}
