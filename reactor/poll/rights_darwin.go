package poll

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// receiveRights is Receive that marks received descriptors close-on-exec.
// Darwin has no flag for that: they are marked with forks locked out.
func receiveRights(sys sockets.Calls, fd int, ms []sockets.Message) (int, syscall.Errno) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, errno := sys.Receive(fd, ms, unix.MSG_DONTWAIT)
	for _, m := range ms[:n] {
		closeOnExec(m.Control[:m.NControl])
	}
	return n, errno
}

func closeOnExec(control []byte) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m) // fails for other types of messages
		if err != nil {
			continue
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
}
