package net

import (
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
	"github.com/eddyio/eddy/sockets"
)

// conn is the common part of TCPConn, UDPConn and UnixConn: a socket that is
// read and written. All its fields except the FD's state are set once, before
// the conn is returned. There may be very many, so it is kept small.
type conn struct {
	fd poll.FD
	*origin
	peer Addr // nil if it is not connected; see compact
}

// An origin is the state that conns accepted by one listener share. It does not
// change once two conns may share it.
type origin struct {
	sys      sockets.Calls
	kind     poll.Kind
	network  string // as given by the user: "tcp4", "unixgram"; "" means that of local's type
	local    Addr
	tcp      bool
	datagram bool // a read of 0 bytes is an empty datagram, not the end
}

// use sets o's socket calls to sys.
func (o *origin) use(sys sockets.Calls) {
	o.sys = sys
	o.kind = poll.KindOf(sys)
	o.kind.Drains = o.tcp && shortReadDrains(sys)
	o.kind.Datagram = o.datagram
	o.kind.Name = nameConn
}

// nameConn names the peer of a conn that a task waits for, or, if it has none, its own
// address. fd is a conn's, and so its first field's first.
func nameConn(fd *core.FD, d *core.Wait) {
	c := (*conn)(unsafe.Pointer(fd))
	switch {
	case c.peer != nil:
		d.On = c.peer
	case c.origin != nil && c.local != nil:
		d.On = c.local
	}
}

// The addresses of a conn and of its core.FD are the same.
const _ = -unsafe.Offsetof(conn{}.fd)

// connOf returns the conn of a connected socket of this package, or nil. It
// does not look inside types that embed one, because they may override its
// methods.
func connOf(v any) *conn {
	switch c := v.(type) {
	case *TCPConn:
		if c != nil {
			return &c.conn
		}
	case *UnixConn:
		if c != nil {
			return &c.conn
		}
	case *ReadyConn:
		if c != nil {
			return &c.conn
		}
	}
	return nil
}

func (c *conn) ok() bool { return c != nil && c.origin != nil }

// Read reads what there is, at least one byte, and waits for it if necessary.
// At the end of the peer's data it returns io.EOF. Its errors are those of a
// std conn's Read; when the task's scope is done, it returns the scope's error.
func (c *conn) Read(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Read(p)
	if err != nil && err != io.EOF {
		err = c.failed("read", err)
	}
	return n, err
}

// Write writes all of p, and waits for room if necessary. If it fails midway it
// returns how much the kernel has taken. Writes of several tasks and goroutines
// are not interleaved.
func (c *conn) Write(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Write(p)
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

// Close closes the connection. Pending reads and writes return [ErrClosed] at
// once; data already written is still sent, unless SetLinger changes that.
func (c *conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := c.fd.Close(); err != nil {
		return c.failed("close", err)
	}
	return nil
}

// LocalAddr returns the address of this end, also after the connection is
// closed.
func (c *conn) LocalAddr() Addr {
	if c.origin == nil {
		return nil
	}
	return c.local
}

// RemoteAddr returns the address of the peer, also after the connection is
// closed.
func (c *conn) RemoteAddr() Addr { return full(c.peer) }

// SetDeadline sets the read and the write deadline. Operations that wait at t,
// or begin later, fail with [os.ErrDeadlineExceeded], until another deadline is
// set; the zero t means none.
func (c *conn) SetDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	err := c.fd.SetReadDeadline(t)
	if err == nil {
		err = c.fd.SetWriteDeadline(t)
	}
	return c.wasSet(err)
}

// SetReadDeadline is like [conn.SetDeadline], for reads. Moving a deadline to a
// later time is cheap enough to do for each message.
func (c *conn) SetReadDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.wasSet(c.fd.SetReadDeadline(t))
}

// SetWriteDeadline is like [conn.SetDeadline], for writes.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.wasSet(c.fd.SetWriteDeadline(t))
}

// SetReadBuffer sets the size of the kernel's receive buffer, in bytes.
func (c *conn) SetReadBuffer(bytes int) error {
	return c.set(func(fd int) error {
		return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes))
	})
}

// SetWriteBuffer sets the size of the kernel's send buffer, in bytes.
func (c *conn) SetWriteBuffer(bytes int) error {
	return c.set(func(fd int) error {
		return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, bytes))
	})
}

// set calls f with the open socket for an operation whose errors, as in std,
// name this end only and no peer.
func (c *conn) set(f func(fd int) error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return c.wasSet(c.fd.Control(f))
}

// wasSet returns the error of a set.
func (c *conn) wasSet(err error) error {
	if err == nil {
		return nil
	}
	return opError("set", c.net(), nil, c.local, err)
}

func (c *conn) setInt(level, option, value int) error {
	return c.control("set", func(fd int) error {
		return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, level, option, value))
	})
}

// shut shuts down one direction; see shutdown(2).
func (c *conn) shut(how int) error {
	return c.control("close", func(fd int) error {
		err := c.sys.Shutdown(fd, how)
		if how == unix.SHUT_WR && err == nil {
			c.fd.RetryWrite() // the kernel does not report a full Unix socket as ready
		}
		return os.NewSyscallError("shutdown", err)
	})
}

// control calls f with the open socket; f must not wait.
func (c *conn) control(op string, f func(fd int) error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if err := c.fd.Control(f); err != nil {
		return c.failed(op, err)
	}
	return nil
}

// failed returns the error that a std conn would return.
func (c *conn) failed(op string, err error) error {
	return opError(op, c.net(), c.local, c.RemoteAddr(), err)
}

func (c *conn) net() string {
	if c.network == "" {
		return c.local.Network()
	}
	return c.network
}
