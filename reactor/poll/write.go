package poll

import (
	"sync"
	"syscall"

	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/sockets"
)

// Write writes all of p, and waits for room if necessary. If it fails midway it
// returns how much the kernel has taken. p may be memory of the loop.
func (f *FD) Write(p []byte) (int, error) {
	if !f.core.OnLoop() {
		return f.writeElsewhere(p)
	}
	if f.core.IsScratch(p) {
		return f.writeBorrowed(p)
	}
	return f.write(p)
}

// write is Write, on the loop, for p that is not the loop's memory.
func (f *FD) write(p []byte) (int, error) {
	if err := f.core.Inner().LockWrite(); err != nil {
		return 0, err
	}
	defer f.core.UnlockWrite()
	return f.writeLocked(p)
}

// writeLocked is write for a task that holds the lock.
func (f *FD) writeLocked(p []byte) (n int, err error) {
	for {
		if err := f.core.Inner().WaitWrite(); err != nil {
			return n, err
		}
		m, err := f.wrote(writeFD(f.core.Kind(), f.core.Sysfd(), p[n:]))
		n += m
		if err == nil && n == len(p) || err != nil && err != errAgain {
			return n, err
		}
	}
}

// writeBorrowed writes memory of the loop. It copies what can't be written
// without suspending.
func (f *FD) writeBorrowed(p []byte) (int, error) {
	if !f.core.Inner().TryLockWrite() {
		return f.writeCopy(p)
	}
	var n int
	var errno syscall.Errno
	if k := f.core.Kind(); k.Plain() { // writeFD, inlined by hand
		n, errno = sockets.System{}.Write(f.core.Sysfd(), p)
	} else {
		n, errno = writeOther(k, f.core.Sysfd(), p)
	}
	if errno != 0 || n < len(p) {
		return f.writeRest(p, n, errno)
	}
	f.core.UnlockWrite()
	if f.Activity != nil {
		f.Activity.spoke()
	}
	return n, nil
}

// writeRest continues a write that has returned n and errno. The caller holds
// the lock.
func (f *FD) writeRest(p []byte, n int, errno syscall.Errno) (int, error) {
	defer f.core.UnlockWrite()
	n, err := f.wrote(n, errno)
	if err != nil && err != errAgain {
		return n, err
	}
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	m, err := f.writeLocked(buf[:copy(buf[:], p[n:])])
	return n + m, err
}

// writeCopy writes a copy of p, which is no longer than the loop's memory.
func (f *FD) writeCopy(p []byte) (int, error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	return f.write(buf[:copy(buf[:], p)])
}

const bufferSize = core.ScratchSize

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// wrote handles the result of a write on the loop.
func (f *FD) wrote(n int, errno syscall.Errno) (int, error) {
	if err := f.sent("write", errno); err != nil {
		return 0, err
	}
	return n, nil
}

// sent handles the result of a call that writes, on the loop. It returns
// errAgain if the call must be repeated.
func (f *FD) sent(call string, errno syscall.Errno) error {
	switch errno {
	case 0:
		if f.Activity != nil {
			f.Activity.spoke()
		}
		return nil
	case syscall.EAGAIN:
		f.core.WriteBlocked()
		return errAgain
	case syscall.EINTR:
		return errAgain
	}
	return f.failed(call, errno)
}

func writeFD(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	if k.Plain() {
		return sockets.System{}.Write(fd, p)
	}
	return writeOther(k, fd, p)
}

func writeOther(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	if k.Shared() {
		return sendShared(k, fd, p)
	}
	return k.Sockets.Write(fd, p)
}

// WriteNow writes what of p the kernel takes at once, if the caller is a task
// or callback of the loop and need not wait for the write lock. Otherwise it
// writes nothing.
func (f *FD) WriteNow(p []byte) (int, error) {
	if !f.core.OnLoop() || !f.core.Inner().TryLockWrite() {
		return 0, nil
	}
	defer f.core.UnlockWrite()
	n, err := f.wrote(writeFD(f.core.Kind(), f.core.Sysfd(), p))
	if err == errAgain {
		return 0, nil
	}
	return n, err
}

// WriteErr returns the error that every write gets at present, because f is
// closed or its deadline has passed. Elsewhere than in tasks and callbacks of
// the loop it returns nil.
func (f *FD) WriteErr() error {
	if !f.core.OnLoop() {
		return nil
	}
	return f.core.WriteErr()
}

// CheckWrite returns the error that a write would fail with at once.
func (f *FD) CheckWrite() error {
	switch {
	case f.core.OnLoop():
		return f.core.Inner().CheckWrite()
	case f.isReal():
		return f.checkWriteApart()
	}
	return elsewhere0(f, f.CheckWrite)
}
