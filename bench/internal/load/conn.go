//go:build linux

package load

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A conn is one connection to the server. It counts bytes and does not keep
// them, because all are alike.
type conn struct {
	fd     int
	unsent int64 // bytes not yet taken by the socket
	owed   int64 // bytes, sent or unsent, that have not come back
	echoed int64 // bytes that have come back since the load began
	last   int64 // closed load: when its burst began
	whole  int64 // paced load: messages that have come back
}

// zeros is the content of messages.
var zeros [1 << 20]byte

// drop is a length that makes recv take all there is.
const drop = 1 << 30

var errClosed = errors.New("the server closed a connection")

// send writes unsent bytes to the socket, as many as it takes. System calls are
// raw here: they do not block, and no other goroutine needs this thread.
func (c *conn) send() error {
	for c.unsent > 0 {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(c.fd), uintptr(unsafe.Pointer(&zeros)), uintptr(min(c.unsent, int64(len(zeros)))))
		switch errno {
		case 0:
			c.unsent -= int64(n)
		case unix.EAGAIN:
			return nil
		case unix.EINTR:
		default:
			return os.NewSyscallError("write", errno)
		}
	}
	return nil
}

// receive counts what has come back, and discards it.
func (c *conn) receive() error {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), 0, drop, unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EAGAIN:
			return nil
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return os.NewSyscallError("recvfrom", errno)
		case n == 0:
			return errClosed
		}
		if c.owed -= int64(n); c.owed < 0 {
			return fmt.Errorf("the server sent %d bytes more than it received", -c.owed)
		}
		c.echoed += int64(n)
		return nil
	}
}

// connect connects to the server from a loopback address; each address has its
// own ports.
func connect(to *unix.SockaddrInet4, from [4]byte) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	// A reset at the end leaves no connection in TIME_WAIT, which would use up
	// the ports in a few rounds.
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// Not the machine's default, which may pace packets by timers (BBR).
	unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, "reno")
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if to.Addr[0] == 127 {
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from}); err != nil {
			unix.Close(fd)
			return -1, os.NewSyscallError("bind", err)
		}
	}
	for {
		err = unix.Connect(fd, to)
		if err != unix.EINTR {
			break
		}
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("connect", err)
	}
	return fd, nil
}

// sendPattern sends all of p; before a load the socket has room for it.
func (c *conn) sendPattern(p []byte) error {
	for len(p) > 0 {
		n, err := unix.Write(c.fd, p)
		if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return os.NewSyscallError("write", err)
		}
		p = p[max(0, n):]
	}
	return nil
}

// readPattern fills p, and waits for it.
func (c *conn) readPattern(p []byte) error {
	for len(p) > 0 {
		n, err := unix.Read(c.fd, p)
		switch {
		case err == unix.EAGAIN:
			if err := c.awaitReadable(); err != nil {
				return err
			}
			continue
		case err == unix.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("read", err)
		case n == 0:
			return errClosed
		}
		p = p[n:]
	}
	return nil
}

func (c *conn) awaitReadable() error {
	p := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(p, int(patience.Milliseconds()))
	if err == syscall.EINTR {
		return nil
	}
	if err == nil && n == 0 {
		return fmt.Errorf("the server did not answer for %v", patience)
	}
	return os.NewSyscallError("poll", err)
}
