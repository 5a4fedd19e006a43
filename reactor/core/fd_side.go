package core

import (
	"context"
	"os"
	"time"

	"github.com/eddyio/eddy/sockets"
)

// A Side is who else than the loop uses an FD's descriptor: goroutines, by a poller
// of their own. Once there is one it owns the descriptor together with the loop, and
// closes it.
type Side struct{ Sharer }

// A Sharer is what a [Side] does when the loop tells it. All of it is called on the
// loop, and must not wait for a goroutine.
type Sharer interface {
	// CloseFD closes the descriptor, now that the loop does not use it any more. It
	// is called once.
	CloseFD(fd int) error
	// Attach is called when the loop begins to use the descriptor. It is false if that
	// is closed. It is called only after [FD.OpenApart].
	Attach() bool
	// GrantWrite hands the write lock to the goroutine that has waited longest, and
	// reports whether there is one. If not, it calls NobodyWaits.
	GrantWrite() bool
}

// closedSide is the Side of an FD that was closed without one.
var closedSide = new(Side)

// Join makes s the Side of f, unless f has one, and returns f's. It is nil if f is
// closed. It may be called from anywhere.
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

// OpenLate is like [FD.OpenKind], but leaves the poller alone until a task waits for
// f: another one may serve f.
func (f *FD) OpenLate(ctx context.Context, sysfd int, kind *FDKind) error {
	s := Under(ctx, "FD.OpenLate")
	s.loop.OnLoop("FD.OpenLate")
	f.loop, f.sysfd = s.loop, int32(sysfd)
	f.kind.Store(kind)
	f.flags = canWrite | unpolled
	s.loop.fds.evict(sysfd)
	return s.loop.fds.add(f)
}

// OpenApart makes f an FD of a loop that does not know it: only its Side uses the
// descriptor until a task does. It may be called from anywhere.
func (f *FD) OpenApart(l *Loop, sysfd int, kind *FDKind, s *Side) {
	f.loop, f.sysfd = l, int32(sysfd)
	f.kind.Store(kind)
	f.flags = apart
	f.side.Store(s)
}

// attach makes the loop use f, which it does not yet, or not to wait.
func (f *FD) attach() error {
	l := f.loop
	if f.flags&apart == 0 {
		if err := l.fds.poll(f); err != nil {
			return err
		}
		f.flags &^= unpolled
		return nil
	}
	if !f.side.Load().Attach() {
		f.flags |= closed
		f.sysfd = -1
		return os.ErrClosed
	}
	f.flags = f.flags&^apart | canWrite
	l.fds.evict(f.Sysfd())
	if err := l.fds.add(f); err != nil {
		f.flags |= apart
		f.Close()
		return err
	}
	return nil
}

// Attach makes the loop use f, if it was opened by [FD.OpenApart]. It need not be
// called before a wait.
func (f *InnerFD) Attach() error {
	if f.flags&(apart|closed) != apart {
		return nil
	}
	return (*FD)(f).attach()
}

// closeFD closes the descriptor, or leaves that to the Side. A Side that is about to
// look at sysfd has been told by then.
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

// Kind returns what f was opened with. It may be called from anywhere.
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

// Tell has the loop call do before its next step. It is false, and do is not called, if
// the loop has ended. It may be called from anywhere.
func (f *FD) Tell(do func()) bool { return f.loop.Post(do) }

// Apart reports whether the caller is a goroutine that need not ask the loop to use
// sockets: they are the system's, and the loop has not ended. It may be called from
// anywhere.
func (l *Loop) Apart() bool {
	_, real := l.sockets.(sockets.System)
	return real && l.sim == nil && !l.OnThread() && !l.finished.Load()
}

// The methods that follow are for the goroutines of f's Side.

// TryLockApart takes the write lock for a goroutine of f's Side, if it is free.
func (f *FD) TryLockApart() bool { return f.lock.CompareAndSwap(0, locked) }

// LockApart takes the write lock, or has the Side told, by GrantWrite, when it can be
// had. Meanwhile the Side must let no GrantWrite come before it knows of the
// goroutine.
func (f *FD) LockApart() (taken bool) { return f.lockOr(goroutinesWait) }

// NobodyWaits tells the lock that no goroutine waits for it any more.
func (f *FD) NobodyWaits() { f.lock.And(^goroutinesWait) }

// UnlockApart passes on the lock that a goroutine has. It reports whether it did:
// else goroutines wait, and none of them was chosen, for that is the Side's.
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

// lockHandedOver gives the lock, which a goroutine has handed over, to a task.
func (f *FD) lockHandedOver() {
	if !f.queue.WakeFirst(WokenDone) {
		f.lock.And(^tasksWait)
		f.UnlockWrite()
	} else if f.queue.Empty() {
		f.lock.And(^tasksWait)
	}
}
