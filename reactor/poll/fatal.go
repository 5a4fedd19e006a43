package poll

import (
	"os"
	"syscall"
)

// The two sides of an FD.
const (
	tasks = iota
	goroutines
)

// failed returns the error of a call on the loop.
func (f *FD) failed(call string, errno syscall.Errno) error { return f.failedBy(tasks, call, errno) }

// failedBy returns the error of a call by one side.
func (f *FD) failedBy(side int, call string, errno syscall.Errno) error {
	if f.closedApart() {
		return os.ErrClosed
	}
	f.keep(side, errno)
	return os.NewSyscallError(call, errno)
}

// keep records an error of the connection that one side has got, for the other
// side to get too: the kernel returns it only once.
func (f *FD) keep(by int, errno syscall.Errno) {
	switch errno {
	case syscall.ECONNRESET, syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH:
	default:
		return
	}
	if f.core.Kind().Datagram || !f.isReal() {
		return
	}
	if g := f.join(); g != nil {
		g.fatal[1-by].Store(int32(errno))
	}
}

// errorFor returns the error that the other side has got, once, to replace the
// end of the data.
func (f *FD) errorFor(side int) syscall.Errno {
	g := f.side()
	if g == nil {
		return 0
	}
	return syscall.Errno(g.fatal[side].Swap(0))
}
