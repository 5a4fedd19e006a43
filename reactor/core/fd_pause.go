package core

import "time"

// PauseWrite suspends the running task for d, whatever the kernel says of f
// meanwhile: for a socket of which it says that it can be written, and then
// refuses. The task must have the write lock, see [InnerFD.LockWrite]. The errors are
// those of [FD.WaitWrite], except that a deadline which passes in between is
// seen only afterwards.
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
	f.queue.Push(&w.node) // for Close: nobody else wakes those in the queue while the lock is held
	if w.Park(s, (*FD)(f)) == WokenCanceled {
		return s.AwaitErr()
	}
	return f.CheckWrite()
}
