package sockets

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func (System) Pipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return -1, -1, err
	}
	return fds[0], fds[1], nil
}

// Splice can't block, because neither the pipe nor the socket does; see Read.
func (System) Splice(to, from, n int) (int, syscall.Errno) {
	moved, _, errno := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0,
		uintptr(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
	if errno != 0 {
		return 0, errno
	}
	return int(moved), 0
}
