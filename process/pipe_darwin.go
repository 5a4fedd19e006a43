package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// openPipe makes a pipe that no other program inherits. Both ends block: each
// has a mode of its own, and the program's is not ours to change. Darwin has no
// pipe2: a lock keeps a fork from coming before the marks.
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
