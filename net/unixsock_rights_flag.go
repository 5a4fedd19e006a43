//go:build linux || freebsd || openbsd || netbsd || dragonfly

package net

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
)

// receiveRights is Receive of messages whose descriptors are to be closed on
// exec.
func receiveRights(sys eddy.Sockets, fd int, ms []eddy.Message) (int, syscall.Errno) {
	return sys.Receive(fd, ms, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
}
