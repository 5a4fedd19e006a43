//go:build linux || freebsd || openbsd || netbsd || dragonfly

package poll

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// receiveRights is Receive that marks received descriptors close-on-exec.
func receiveRights(sys sockets.Calls, fd int, ms []sockets.Message) (int, syscall.Errno) {
	return sys.Receive(fd, ms, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
}
