//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package eddy

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
	if errno, ok := err.(syscall.Errno); ok {
		return 0, errno
	}
	return 0, syscall.EIO
}
