package eddy

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// A device that Linux's epoll and Darwin's kqueue refuse. Other systems accept
// it.
func TestDeviceIsRefused(t *testing.T) {
	p := newPoller(t)
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	null := newDesc(t, fd)
	if err := p.Add(null.fd, 1); !errors.Is(err, unix.EPERM) {
		t.Errorf("%v", err)
	}
	if err := p.Remove(null.fd); err == nil {
		t.Error("it was added")
	}
	quiet(t, p)
}
