//go:build linux || freebsd || openbsd || netbsd || dragonfly

package poll

import (
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// receiveRights is Receive of messages whose descriptors are to be closed on
// exec.
func receiveRights(sys sockets.Calls, fd int, ms []sockets.Message) (int, syscall.Errno) {
	return sys.Receive(fd, ms, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
}
