//go:build !darwin

package process

import "golang.org/x/sys/unix"

// openPipe makes a pipe that no other program inherits. Both ends block: the
// caller makes its own nonblocking, and the program's must stay blocking.
func openPipe() (read, write int, err error) {
	var fds [2]int
	err = unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return fds[0], fds[1], err
}
