package poll

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/eddyio/eddy/sockets"
)

// again is the error of an attempt that must be repeated, after a wait.
type again struct{}

func (again) Error() string { return "not now" }

var errAgain error = again{}

// Read reads what there is, at least one byte, and waits for it if necessary.
// It returns io.EOF at the end of the data.
func (f *FD) Read(p []byte) (int, error) {
	if !f.core.OnLoop() {
		return f.readElsewhere(p)
	}
	if len(p) == 0 {
		return 0, f.touch()
	}
	for {
		if err := f.core.Inner().WaitRead(); err != nil {
			return 0, err
		}
		if n, err := f.tryRead(p); err != errAgain {
			return n, err
		}
	}
}

// tryRead reads once, on the loop.
func (f *FD) tryRead(p []byte) (int, error) {
	k := f.core.Kind()
	var n int
	var errno syscall.Errno
	if k.Plain() { // readFD, inlined by hand
		n, errno = sockets.System{}.Read(f.core.Sysfd(), p)
	} else {
		n, errno = readOther(k, f.core.Sysfd(), p)
	}
	if errno == 0 && n > 0 {
		if n < len(p) && k.Drains {
			f.core.ReadDrained()
		}
		if f.Activity != nil {
			f.Activity.heard()
		}
		return n, nil
	}
	return 0, f.readFailed(k, errno)
}

// readFailed returns the error of a read on the loop that has moved nothing.
func (f *FD) readFailed(k *Kind, errno syscall.Errno) error {
	if errno == 0 && !k.Datagram {
		return f.readEnded()
	}
	return f.received("read", errno)
}

// received handles the result of a call that reads, on the loop. It returns
// errAgain if the call must be repeated.
func (f *FD) received(call string, errno syscall.Errno) error {
	switch errno {
	case 0:
		if f.Activity != nil {
			f.Activity.heard()
		}
		return nil
	case syscall.EAGAIN:
		f.core.ReadBlocked()
		return errAgain
	case syscall.EINTR:
		return errAgain
	}
	return f.failed(call, errno)
}

// readEnded returns io.EOF, or the error that the other side has got.
func (f *FD) readEnded() error {
	if errno := f.errorFor(tasks); errno != 0 {
		return os.NewSyscallError("read", errno)
	}
	return io.EOF
}

// readFD and writeFD avoid an indirect call for real sockets: with mitigations
// against speculative execution, a processor mispredicts it after every system
// call.

func readFD(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	if k.Plain() {
		return sockets.System{}.Read(fd, p)
	}
	return readOther(k, fd, p)
}

func readOther(k *Kind, fd int, p []byte) (int, syscall.Errno) {
	if k.Shared() {
		return receiveShared(k, fd, p)
	}
	return k.Sockets.Read(fd, p)
}

var errBorrow = errors.New("Borrow must be called by a task of the connection's loop: use Read elsewhere")

// Borrow reads like Read, into memory of the loop; see core.FD's Scratch. It
// must be called by tasks and callbacks of the loop.
func (f *FD) Borrow() ([]byte, error) {
	if !f.core.OnLoop() {
		return nil, errBorrow
	}
	for {
		in := f.core.Inner()
		if err := in.WaitRead(); err != nil {
			return nil, err
		}
		p := in.Scratch() // after the wait, because it is lent only until the next one
		if n, err := f.tryRead(p); err == nil {
			return p[:n:n], nil
		} else if err != errAgain {
			return nil, err
		}
	}
}

// ReadNow reads what there is, and returns 0 and no error if there is nothing.
// It must be called by tasks and callbacks of the loop; a scope that is done
// does not matter.
func (f *FD) ReadNow(p []byte) (int, error) {
	if err := f.touch(); err != nil {
		return 0, err
	}
	k := f.core.Kind()
	for {
		n, errno := readFD(k, f.core.Sysfd(), p)
		if errno == 0 && n > 0 {
			return n, nil
		}
		err := f.readFailed(k, errno)
		if errno == syscall.EAGAIN {
			err = nil
		}
		if err != errAgain {
			return 0, err
		}
	}
}

// ReadRest checks, after a read by a task, whether there is more to read, if a
// short read does not tell. It must be called on the loop.
func (f *FD) ReadRest() {
	if !f.core.Kind().Drains {
		f.lookForRest()
	}
}

func (f *FD) lookForRest() {
	if f.core.Sysfd() >= 0 {
		f.peek(f.core.Kind())
	}
}
