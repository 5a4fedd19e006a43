package core

import "time"

// PauseWrite suspends the running task for d, regardless of f's readiness: for
// a socket that the kernel reports as writable, but does not let write. The
// task must hold the write lock; see [InnerFD.LockWrite]. The errors are those
// of [FD.WaitWrite], except that a deadline that passes meanwhile is noticed
// only afterwards.
func (f *InnerFD) PauseWrite(d time.Duration) error {
	if err := f.CheckWrite(); err != nil {
		return err
	}
	w := f.loop.cur
	if w.task == nil {
		return errInCallback
	}
	s := w.scope
	w.loop.wheel.Add(&w.timer, w.loop.After(d))
	f.queue.Push(&w.node) // for Close: nothing else wakes waiters in the queue while the lock is held
	if w.Park(s, (*FD)(f)) == WokenCanceled {
		return s.AwaitErr()
	}
	return f.CheckWrite()
}
