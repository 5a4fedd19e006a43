package net

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// conn is a socket that is read and written: what TCPConn, UDPConn and UnixConn
// have in common. All its fields but the FD's state are set once, before the conn
// is handed out. There may be very many, so it is kept small.
type conn struct {
	fd reactor.FD
	*origin
	peer   Addr    // nil if it is not connected; see compact
	limits *limits // what a Server allows its peer; nil: anything
}

// An origin is what a conn has in common with others that the same listener has
// accepted. It is not changed once there may be two.
type origin struct {
	sys      sockets.Calls
	network  string // as the user named it: "tcp4", "unixgram"; "" is the name that local's type has
	local    Addr
	tcp      bool // a read that does not fill its buffer has drained the socket
	datagram bool // 0 bytes read are an empty datagram, not the end
}

// connOf returns the conn of a connected socket of this package, or nil. A type
// that has one inside may have methods of its own in its place, and is none.
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

func (c *conn) ok() bool { return c != nil && c.origin != nil && c.sys != nil }

// Read reads what there is, at least a byte, and waits for it if need be. The
// end of the peer's data is io.EOF. It returns the errors that a std conn's
// Read returns, and when the task's scope is done, its error.
func (c *conn) Read(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if !c.fd.OnLoop() {
		return elsewhere(&c.fd, func() (int, error) { return c.Read(p) })
	}
	n, err := c.read(p)
	if err != nil && err != io.EOF {
		err = c.failed("read", err)
	}
	return n, err
}

func (c *conn) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, c.usable()
	}
	for {
		if err := c.fd.WaitRead(); err != nil {
			return 0, err
		}
		if n, err := c.tryRead(p); err != errAgain {
			return n, err
		}
	}
}

// tryRead reads once. errAgain says to wait first.
func (c *conn) tryRead(p []byte) (int, error) {
	n, errno := c.readFD(p)
	switch errno {
	case 0:
		if n == 0 && !c.datagram {
			return 0, io.EOF
		}
		if n < len(p) && c.tcp && shortReadDrains(c.sys) {
			c.fd.ReadDrained()
		}
		if c.limits != nil {
			c.limits.heard()
		}
		return n, nil
	case syscall.EAGAIN:
		c.fd.ReadBlocked()
		return 0, errAgain
	case syscall.EINTR:
		return 0, errAgain
	}
	return 0, os.NewSyscallError("read", errno)
}

var errAgain = errors.New("not now")

// readError is what a read returns for which tryRead has failed with err: nothing,
// if it has only to wait, and the end as it is.
func (c *conn) readError(err error) error {
	switch err {
	case errAgain:
		return nil
	case io.EOF:
		return err
	}
	return c.failed("read", err)
}

// Write writes all of p, and waits for room if need be. When it fails midway it
// returns how much the kernel has taken. Writes of several tasks are not
// interleaved.
func (c *conn) Write(p []byte) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if !c.fd.OnLoop() {
		return elsewhere(&c.fd, func() (int, error) { return c.Write(p) })
	}
	var n int
	var err error
	if c.fd.IsScratch(p) {
		n, err = c.writeBorrowed(p)
	} else {
		n, err = c.write(p)
	}
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

// write is Write of what is not the loop's memory.
func (c *conn) write(p []byte) (n int, err error) {
	if err := c.fd.LockWrite(); err != nil {
		return 0, err
	}
	defer c.fd.UnlockWrite()
	return c.writeLocked(p)
}

// writeLocked is write for a caller that holds the lock.
func (c *conn) writeLocked(p []byte) (n int, err error) {
	for {
		if err := c.fd.WaitWrite(); err != nil {
			return n, err
		}
		m, err := c.tryWrite(p[n:])
		n += m
		if err == nil && n == len(p) || err != nil && err != errAgain {
			return n, err
		}
	}
}

// tryWrite writes once. errAgain says to wait first.
func (c *conn) tryWrite(p []byte) (int, error) { return c.wrote(c.writeFD(p)) }

// readFD and writeFD spare the real sockets an indirect call: after a system call
// a processor that is protected against its own speculation foresees none.

func (c *conn) readFD(p []byte) (int, syscall.Errno) {
	if c.fd.Shared() {
		return c.readShared(p)
	}
	if sys, ok := c.sys.(sockets.System); ok {
		return sys.Read(c.fd.Sysfd(), p)
	}
	return c.sys.Read(c.fd.Sysfd(), p)
}

func (c *conn) writeFD(p []byte) (int, syscall.Errno) {
	if c.fd.Shared() {
		return c.writeShared(p)
	}
	if sys, ok := c.sys.(sockets.System); ok {
		return sys.Write(c.fd.Sysfd(), p)
	}
	return c.sys.Write(c.fd.Sysfd(), p)
}

// wrote takes in what a write has come to.
func (c *conn) wrote(n int, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		if c.limits != nil {
			c.limits.spoke()
		}
		return n, nil
	case syscall.EAGAIN:
		c.fd.WriteBlocked()
		return 0, errAgain
	case syscall.EINTR:
		return 0, errAgain
	}
	return 0, os.NewSyscallError("write", errno)
}

// Close closes the connection. Reads and writes that wait return with
// [ErrClosed] at once; data written is still sent, unless SetLinger says
// otherwise.
func (c *conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return closeFD(&c.fd, func(err error) error { return c.failed("close", err) })
}

// LocalAddr returns the address of this end, also once the connection is closed.
func (c *conn) LocalAddr() Addr {
	if c.origin == nil {
		return nil
	}
	return c.local
}

// RemoteAddr returns the address of the peer, also once the connection is closed.
func (c *conn) RemoteAddr() Addr { return full(c.peer) }

// SetDeadline sets the read and the write deadline. An operation that waits at
// t, or is begun later, fails with [os.ErrDeadlineExceeded], until another
// deadline is set; the zero t means none.
func (c *conn) SetDeadline(t time.Time) error {
	asked := c.nowElsewhere(t)
	return c.set(func(int) error {
		t := rebased(t, asked)
		return errors.Join(c.fd.SetReadDeadline(t), c.fd.SetWriteDeadline(t))
	})
}

// SetReadDeadline is as [conn.SetDeadline], for reads. Moving a deadline to a
// later time costs next to nothing, so it can be done at each message.
func (c *conn) SetReadDeadline(t time.Time) error {
	asked := c.nowElsewhere(t)
	return c.set(func(int) error { return c.fd.SetReadDeadline(rebased(t, asked)) })
}

// SetWriteDeadline is as [conn.SetDeadline], for writes.
func (c *conn) SetWriteDeadline(t time.Time) error {
	asked := c.nowElsewhere(t)
	return c.set(func(int) error { return c.fd.SetWriteDeadline(rebased(t, asked)) })
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

// set does something to the open socket that std counts as concerning this end
// alone, whose errors name no peer.
func (c *conn) set(f func(fd int) error) error {
	err := c.control("set", f)
	if op, ok := err.(*OpError); ok {
		op.Source, op.Addr = nil, c.local
	}
	return err
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
			c.fd.RetryWrite() // of a Unix socket that is full the kernel says nothing
		}
		return os.NewSyscallError("shutdown", err)
	})
}

// control does something to the open socket that does not wait, on the loop.
func (c *conn) control(op string, f func(fd int) error) error {
	if !c.ok() {
		return syscall.EINVAL
	}
	if !c.fd.OnLoop() {
		_, err := elsewhere(&c.fd, func() (struct{}, error) { return struct{}{}, c.control(op, f) })
		return err
	}
	err := c.usable()
	if err == nil {
		err = f(c.fd.Sysfd())
	}
	if err != nil {
		err = c.failed(op, err)
	}
	return err
}

func (c *conn) usable() error {
	if c.fd.Sysfd() < 0 {
		return os.ErrClosed
	}
	return nil
}

// failed makes the error that a std conn would return.
func (c *conn) failed(op string, err error) error {
	return opError(op, c.net(), c.local, c.RemoteAddr(), err)
}

func (c *conn) net() string {
	if c.network == "" {
		return c.local.Network()
	}
	return c.network
}
