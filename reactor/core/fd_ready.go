package core

import (
	"errors"
	"os"

	"github.com/eddyio/eddy"
)

// WaitRead returns when a read may not block. Until then it suspends the
// running task. The error is [os.ErrClosed] when f is closed,
// [os.ErrDeadlineExceeded] when the read deadline has passed, and that of the
// task's innermost scope, when that is done. A task that never has to wait
// still yields from time to time.
func (f *FD) WaitRead() error {
	f.loop.OnLoop("FD.WaitRead")
	return f.wait(&f.read, canRead)
}

// WaitWrite is like [FD.WaitRead], for writing.
func (f *FD) WaitWrite() error {
	f.loop.OnLoop("FD.WaitWrite")
	return f.wait(&f.write, canWrite)
}

// ReadBlocked records that a read would have blocked: the next WaitRead waits
// for the kernel's report.
func (f *FD) ReadBlocked() { f.flags &^= canRead }

// WriteBlocked records that a write would have blocked.
func (f *FD) WriteBlocked() { f.flags &^= canWrite }

// ReadDrained records that a read took all there was, like one of a TCP stream
// that did not fill its buffer. It is ReadBlocked, unless the peer has hung up,
// because then there is still an end of file to read, or has sent urgent data,
// because a read stops at its mark.
func (f *FD) ReadDrained() {
	if f.flags&undrained == 0 {
		f.flags &^= canRead
	}
}

// Retry undoes ReadBlocked, WriteBlocked, or both, and makes waiters try again:
// for changes that the kernel does not report.
func (f *FD) Retry(r eddy.Readiness) {
	f.loop.OnLoop("FD.Retry")
	f.notify(r)
}

// WriteErr returns the error that every write gets at present, from any task,
// because f is closed or its write deadline has passed. Unlike
// [InnerFD.CheckWrite] it never yields, and may be called any number of times.
func (f *FD) WriteErr() error {
	f.loop.OnLoop("FD.WriteErr")
	switch {
	case f.flags&closed != 0:
		return os.ErrClosed
	case f.flags&timed != 0 && f.write.late():
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
	case f.flags&timed != 0 && d.late():
		w.insist()
		return os.ErrDeadlineExceeded
	case w.task != nil && (w.scope.reason.Load() != nil || w.loop.cutting):
		return w.refuse(w.scope)
	}
	return nil
}

func (f *FD) wait(d *direction, can ioFlags) error {
	l := f.loop
	w := l.cur
	if f.flags&timed != 0 {
		d.late()
	}
	for {
		switch {
		case f.flags&(closed|timed) != 0 && f.over(d):
			w.insist()
			return f.overErr()
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
		case w.scope.reason.Load() != nil || l.cutting:
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
			l.ioWaits++
			w.parks(s, f) // Park, inlined by hand: s is not done
			l.suspend(w)
			l.ioWaits--
			if w.woken == WokenCanceled {
				return s.AwaitErr()
			} else if w.woken == wokenCut {
				panic(cutOff{})
			}
		}
	}
}

// over reports whether f is closed, or d's deadline has passed.
func (f *FD) over(d *direction) bool { return f.flags&closed != 0 || d.passed() }

// overErr returns the error of an FD for which over is true.
func (f *FD) overErr() error {
	if f.flags&closed != 0 {
		return os.ErrClosed
	}
	return os.ErrDeadlineExceeded
}

// Awaited reports whether any task waits to read or write f.
func (f *FD) Awaited() bool {
	f.loop.OnLoop("FD.Awaited")
	return !f.read.waiters.Empty() || !f.write.waiters.Empty()
}

var errInCallback = errors.New("reactor: the operation would have to wait, which a callback can't: start a task with reactor.Go and do it there")

// notify handles the kernel's report on f.
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
