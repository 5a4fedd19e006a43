package testkit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// SocketPair returns two connected nonblocking sockets. The caller closes them.
func SocketPair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		unix.SetNonblock(fd, true)
		unix.CloseOnExec(fd)
	}
	return fds[0], fds[1]
}
