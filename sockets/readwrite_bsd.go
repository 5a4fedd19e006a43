//go:build darwin || freebsd || openbsd || netbsd || dragonfly || kqueue_model

package sockets

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func (System) Read(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Read(fd, p)
	return moved(n, err)
}

func (System) Write(fd int, p []byte) (int, syscall.Errno) {
	n, err := unix.Write(fd, p)
	return moved(n, err)
}

func moved(n int, err error) (int, syscall.Errno) {
	if err == nil {
		return n, 0
	}
	return 0, errnoOf(err)
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EIO
}

// WriteBuffers uses sendmsg(2), because x/sys lacks writev(2) for some of these
// systems.
func (System) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	n, err := unix.SendmsgBuffers(fd, bufs[:min(len(bufs), maxBuffers)], nil, nil, 0)
	return moved(n, err)
}

// maxBuffers is the most buffers in one call; the kernels' limit is 1024.
const maxBuffers = 64

// SendFile returns also what was moved before EAGAIN or EINTR. x/sys passes the
// arguments in the system's order, and fails with ENOSYS on OpenBSD and NetBSD,
// which have no sendfile(2).
func (System) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	if n == 0 { // Darwin and FreeBSD would send the whole file
		return 0, 0
	}
	done, err := unix.Sendfile(fd, file, &offset, n)
	if done > 0 || err == nil {
		return done, 0
	}
	return 0, errnoOf(err)
}
