//go:build !kqueue_model

package sockets

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read and Write cannot block on a nonblocking socket, so they spare the Go
// scheduler the announcement of a call that might: about a tenth of the cost of
// an echo. They check for no room on the stack, as what they call does not either:
// the runtime keeps 800 bytes for such functions, and without that check a task
// that reads and writes gets by with the two kilobytes it begins with.

// Read and Write are so short that the compiler's wrapper for the interface holds
// them whole.

func (System) Read(fd int, p []byte) (int, syscall.Errno)  { return move(unix.SYS_READ, fd, p) }
func (System) Write(fd int, p []byte) (int, syscall.Errno) { return move(unix.SYS_WRITE, fd, p) }

// move goes to package syscall, for x/sys has the same by way of assembly, which
// passes everything on the stack.
//
//go:nosplit
func move(trap uintptr, fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(trap, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// maxBuffers is how many buffers go in one writev(2); UIO_MAXIOV is 1024, but
// beyond these the saving is small, and their list is on the stack.
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

// SendFile may wait for a disk, so it is announced to the Go scheduler.
func (System) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	moved, err := unix.Sendfile(fd, file, &offset, n)
	if err != nil {
		return 0, err.(syscall.Errno)
	}
	return moved, 0
}
