//go:build !kqueue_model

package sockets

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read and Write cannot block on a nonblocking socket, so they do not enter the
// Go scheduler: that saves about a tenth of the cost of an echo. They are
// nosplit, as what they call is: the runtime reserves 800 bytes of stack for
// such functions, so a task that reads and writes does not outgrow the two
// kilobytes of stack it starts with.

// Read and Write are short enough to be inlined into the compiler's wrapper for
// the interface.

func (System) Read(fd int, p []byte) (int, syscall.Errno)  { return move(unix.SYS_READ, fd, p) }
func (System) Write(fd int, p []byte) (int, syscall.Errno) { return move(unix.SYS_WRITE, fd, p) }

// move uses package syscall, because x/sys reaches the same call through
// assembly, which passes all arguments on the stack.
//
//go:nosplit
func move(trap uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// maxBuffers is the most buffers in one writev(2). UIO_MAXIOV is 1024, but more
// would save little, and the list is on the stack.
const maxBuffers = 64

func (System) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	var iovs [maxBuffers]unix.Iovec
	bufs = bufs[:min(len(bufs), maxBuffers)]
	for i, b := range bufs {
		iovs[i].Base = unsafe.SliceData(b)
		iovs[i].SetLen(len(b))
	}
	n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iovs)), uintptr(len(bufs)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// SendFile may wait for a disk, so it enters the Go scheduler.
func (System) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	moved, err := unix.Sendfile(fd, file, &offset, n)
	if err != nil {
		return 0, err.(syscall.Errno)
	}
	return moved, 0
}
