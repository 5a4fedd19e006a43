//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package eddy

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A selfPipe wakes a kqueue. EVFILT_USER would need no descriptors, but NetBSD
// has it only since 2021, OpenBSD since later, and x/sys for neither; a pipe
// works everywhere.
//
// By the wake protocol (see Poller.state) it holds at most one byte: the next
// is written only after the last was drained.
type selfPipe struct {
	read, write int
	drained     [16]byte // drain reads into it
}

var wakeByte = []byte{0} // never written to

func (w *selfPipe) open() error {
	var fds [2]int
	// Darwin has no pipe2: hold off a concurrent fork until close-on-exec is set.
	syscall.ForkLock.RLock()
	err := unix.Pipe(fds[:])
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return err
	}
	w.read, w.write = fds[0], fds[1]
	if err = w.setNonblock(); err != nil {
		w.close()
	}
	return err
}

func (w *selfPipe) setNonblock() error {
	if err := unix.SetNonblock(w.read, true); err != nil {
		return err
	}
	return unix.SetNonblock(w.write, true)
}

// signal treats a full pipe as success: a wake is pending then.
func (w *selfPipe) signal() error {
	for {
		_, err := unix.Write(w.write, wakeByte)
		switch err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return nil
		}
		return err
	}
}

// drain empties the pipe, so that the next byte makes a new edge.
func (w *selfPipe) drain() {
	for {
		n, err := unix.Read(w.read, w.drained[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n < len(w.drained) {
			return
		}
	}
}

func (w *selfPipe) close() error {
	readErr := unix.Close(w.read)
	if err := unix.Close(w.write); err != nil {
		return err
	}
	return readErr
}
