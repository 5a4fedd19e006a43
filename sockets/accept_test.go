package sockets_test

import (
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// Sockets, made or accepted, are nonblocking and close-on-exec.
func TestSocketFlags(t *testing.T) {
	var sys sockets.System
	made := func(fd int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sys.Close(fd) })
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("fd %d is not close-on-exec: %#x, %v", fd, flags, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("fd %d can block: %#x, %v", fd, flags, err)
		}
		return fd
	}
	l := made(sys.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	if err := sys.Bind(l, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := sys.Listen(l, 1); err != nil {
		t.Fatal(err)
	}
	addr, err := sys.LocalAddr(l)
	if err != nil {
		t.Fatal(err)
	}
	c := made(sys.Socket(unix.AF_INET, unix.SOCK_STREAM, 0))
	if err := sys.Connect(c, addr); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	conn, _, err := sys.Accept(l)
	for deadline := time.Now().Add(testkit.Patience); (err == unix.EAGAIN || err == unix.EINTR) && time.Now().Before(deadline); {
		conn, _, err = sys.Accept(l)
	}
	made(conn, err)
}
