package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// openPipe makes a pipe that no other program inherits. Both ends block: the
// caller makes its own nonblocking, and the program's must stay blocking.
// Darwin has no pipe2: a lock keeps forks out until close-on-exec is set.
func openPipe() (read, write int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		return -1, -1, err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return fds[0], fds[1], nil
}
