package net

import (
	"os"
	"time"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// setTCPOptions sets the options that the standard library sets: no delay for
// small writes, and probing of idle connections. Like it, it ignores errors: on
// some systems, for instance, setting them fails if the connection is already
// gone.
func setTCPOptions(sys sockets.Calls, fd int, ka KeepAliveConfig) {
	sys.SetInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if ka.Enable {
		setKeepAlive(sys, fd, ka)
	}
}

// SetNoDelay sets whether a small write is sent at once (the default) or may be
// held back to go with the next one (Nagle's algorithm).
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.setInt(unix.IPPROTO_TCP, unix.TCP_NODELAY, boolInt(noDelay))
}

// SetKeepAlive sets whether the kernel probes an idle connection; by default it
// does.
func (c *TCPConn) SetKeepAlive(keepalive bool) error {
	return c.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(keepalive))
}

// SetKeepAlivePeriod sets how long a connection is idle before it is probed,
// rounded up to a second; 0 is the default, 15 s, and a negative d changes
// nothing.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	return c.control("set", func(fd int) error {
		return os.NewSyscallError("setsockopt", setSeconds(c.sys, fd, keepAliveIdle, d))
	})
}

// SetKeepAliveConfig sets whether and how the kernel probes an idle connection.
// Zeros in config mean defaults, and negative values change nothing.
func (c *TCPConn) SetKeepAliveConfig(config KeepAliveConfig) error {
	return c.control("set", func(fd int) error {
		return os.NewSyscallError("setsockopt", setKeepAlive(c.sys, fd, config))
	})
}

// SetLinger sets what Close does with unsent data: if sec is negative, the
// default, it is sent in the background; if zero, it is dropped and the
// connection is reset; if positive, it is sent in the background for up to sec
// seconds.
func (c *TCPConn) SetLinger(sec int) error {
	return c.control("set", func(fd int) error {
		l := &unix.Linger{}
		if sec >= 0 {
			l.Onoff, l.Linger = 1, int32(sec)
		}
		return os.NewSyscallError("setsockopt", c.sys.SetLinger(fd, l))
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
