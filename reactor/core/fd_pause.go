package core

import "time"

// PauseWrite suspends the running task for d, whatever the kernel says of f
// meanwhile: for a socket of which it says that it can be written, and then
// refuses. The task must have the write lock, see [FD.LockWrite]. The error is
// as that of [FD.WaitWrite], except that a deadline which passes in between is
// seen only afterwards.
func (f *FD) PauseWrite(d time.Duration) error {
	f.loop.OnLoop("FD.PauseWrite")
	return f.pauseWrite(d)
}

func (f *FD) pauseWrite(d time.Duration) error {
	if err := f.check(&f.write); err != nil {
		return err
	}
	w := f.loop.cur
	if w.task == nil {
		return errInCallback
	}
	s := w.scope
	w.loop.wheel.Add(&w.timer, w.loop.After(d))
	f.queue.Push(&w.node) // for Close: nobody else wakes those in the queue while the lock is held
	if w.Park(s, f) == WokenCanceled {
		return s.AwaitErr()
	}
	return f.check(&f.write)
}
