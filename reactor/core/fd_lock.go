package core

import "os"

// The write lock is shared by tasks and the goroutines of a [Side]. Its word is
// 0 while it is free. A goroutine that unlocks passes it to the longest-waiting
// task, a task to the longest-waiting goroutine, and only if there is none to
// one of its own kind. The lock stays locked meanwhile.
//
// Invariants: waiting tasks are in queue, and then tasksWait is set; waiting
// goroutines are kept by the Side, which sets goroutinesWait before, and clears
// it when none is left. tasksWait may be set when none is left.
const (
	locked int32 = 1 << iota
	goroutinesWait
	tasksWait
)

// LockWrite makes the running task the only writer, so that a long write that
// has to wait in between is not interleaved with another. Others wait in order.
// The errors are those of [FD.WaitWrite]; then the lock was not taken.
func (f *InnerFD) LockWrite() error {
	if f.flags&closed == 0 && f.lock.CompareAndSwap(0, locked) {
		return nil
	}
	return (*FD)(f).waitForLock()
}

func (f *FD) waitForLock() error {
	w := f.loop.cur
	switch {
	case f.flags&closed != 0:
		w.insist()
		return os.ErrClosed
	case w.task == nil:
		if !f.lock.CompareAndSwap(0, locked) {
			return errInCallback
		}
		return nil
	case w.scope.reason.Load() != nil || w.loop.cutting:
		return w.refuse(w.scope)
	case f.lockOr(tasksWait):
		return nil
	}
	s := w.scope
	f.queue.Push(&w.node)
	switch w.Park(s, f) {
	case WokenCanceled:
		return s.AwaitErr()
	case WokenClosed:
		return os.ErrClosed
	}
	return nil // handed over, still locked
}

// lockOr takes the lock, or sets mark if it is locked.
func (f *FD) lockOr(mark int32) (taken bool) {
	for {
		v := f.lock.Load()
		switch {
		case v == 0 && f.lock.CompareAndSwap(0, locked):
			return true
		case v != 0 && f.lock.CompareAndSwap(v, v|mark):
			return false
		}
	}
}

// TryLockWrite takes the lock if the running task can write at once: there is
// room, no other writer, and the task is neither cancelled nor past its
// deadline. It reports whether it did.
func (f *InnerFD) TryLockWrite() bool {
	w := f.loop.cur
	return f.flags&(canWrite|closed) == canWrite && (f.flags&timed == 0 || !f.write.late()) &&
		(w.task == nil || w.scope.reason.Load() == nil && !f.loop.cutting) &&
		f.lock.CompareAndSwap(0, locked)
}

// UnlockWrite passes the lock on to the writer that has waited longest.
func (f *FD) UnlockWrite() {
	if !f.lock.CompareAndSwap(locked, 0) {
		f.passLock()
	}
}

// passLock is UnlockWrite if there may be waiters.
func (f *FD) passLock() {
	for {
		v := f.lock.Load()
		switch {
		case v&goroutinesWait != 0:
			if f.side.Load().GrantWrite() {
				return
			}
		case f.queue.WakeFirst(WokenDone):
			return
		case f.lock.CompareAndSwap(v, 0):
			return
		}
	}
}
