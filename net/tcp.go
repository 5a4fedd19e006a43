package net

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A TCPConn is a TCP connection. It is a std net.Conn, and its methods, which
// may be called from any goroutine, are those of the standard library's TCPConn.
type TCPConn struct{ conn }

// setDefaults sets the options that the standard library sets: no delay for
// small writes, and a probe every 15 seconds on an idle connection.
func (c *TCPConn) setDefaults() error {
	return setTCPDefaults(c.sys.SetInt, c.fd.Sysfd())
}

func setTCPDefaults(setInt func(fd, level, option, value int) error, fd int) error {
	if err := setInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return setKeepAlive(setInt, fd, defaultKeepAlive)
}

const defaultKeepAlive = 15 * time.Second

// SetNoDelay sets whether a small write is sent at once (the default) or may be
// held back to go with the next one (Nagle's algorithm).
func (c *TCPConn) SetNoDelay(noDelay bool) error {
	return c.setInt(unix.IPPROTO_TCP, unix.TCP_NODELAY, boolInt(noDelay))
}

// SetKeepAlive sets whether the kernel probes an idle connection; on, by default.
func (c *TCPConn) SetKeepAlive(keepalive bool) error {
	return c.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(keepalive))
}

// SetKeepAlivePeriod sets how long a connection is idle before it is probed,
// rounded up to a second.
func (c *TCPConn) SetKeepAlivePeriod(d time.Duration) error {
	return c.control("set", func(fd int) error {
		return os.NewSyscallError("setsockopt", setKeepAliveIdle(c.sys.SetInt, fd, seconds(d)))
	})
}

// SetLinger sets what Close does about data that is not sent yet: negative, the
// default, sends it in the background; zero drops it and resets the connection;
// sec > 0 sends it in the background, for that long.
func (c *TCPConn) SetLinger(sec int) error {
	return c.control("set", func(fd int) error {
		l := &unix.Linger{}
		if sec >= 0 {
			l.Onoff, l.Linger = 1, int32(sec)
		}
		return os.NewSyscallError("setsockopt", c.sys.SetLinger(fd, l))
	})
}

func setKeepAlive(setInt func(fd, level, option, value int) error, fd int, d time.Duration) error {
	if err := setInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1); err != nil {
		return err
	}
	if err := setKeepAliveIdle(setInt, fd, seconds(d)); err != nil {
		return err
	}
	return setKeepAliveInterval(setInt, fd, seconds(d))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A UnixConn is a connection of a Unix-domain stream socket. It is a std
// net.Conn, and its methods may be called from any goroutine.
type UnixConn struct{ conn }
