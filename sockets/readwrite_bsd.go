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

// WriteBuffers is sendmsg(2), for x/sys has no writev(2) for some of these.
func (System) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	n, err := unix.SendmsgBuffers(fd, bufs[:min(len(bufs), maxBuffers)], nil, nil, 0)
	return moved(n, err)
}

// maxBuffers is how many buffers go in one call; the kernels' limit is 1024.
const maxBuffers = 64

// SendFile tells what was moved before EAGAIN and EINTR too. x/sys puts the
// arguments in the order of the system, and fails with ENOSYS on OpenBSD and
// NetBSD, which have no sendfile(2).
func (System) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	if n == 0 { // which means all there is to Darwin and FreeBSD
		return 0, 0
	}
	done, err := unix.Sendfile(fd, file, &offset, n)
	if done > 0 || err == nil {
		return done, 0
	}
	return 0, errnoOf(err)
}
