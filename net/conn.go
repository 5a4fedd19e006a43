package net

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// conn is a connected stream socket: what TCPConn and UnixConn have in common.
// All its fields but the FD's state are set once, before the conn is handed out.
type conn struct {
	fd    reactor.FD
	sys   eddy.Sockets
	local Addr
	peer  Addr
	tcp   bool // a read that does not fill its buffer has drained the socket
}

func (c *conn) ok() bool { return c != nil && c.sys != nil }

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
		n, errno := c.sys.Read(c.fd.Sysfd(), p)
		switch errno {
		case 0:
			if n == 0 {
				return 0, io.EOF
			}
			if n < len(p) && c.tcp {
				c.fd.ReadDrained()
			}
			return n, nil
		case syscall.EAGAIN:
			c.fd.ReadBlocked()
		case syscall.EINTR:
		default:
			return 0, os.NewSyscallError("read", errno)
		}
	}
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
	n, err := c.write(p)
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

func (c *conn) write(p []byte) (n int, err error) {
	if err := c.fd.LockWrite(); err != nil {
		return 0, err
	}
	defer c.fd.UnlockWrite()
	for {
		if err := c.fd.WaitWrite(); err != nil {
			return n, err
		}
		m, errno := c.sys.Write(c.fd.Sysfd(), p[n:])
		switch errno {
		case 0:
			if n += m; n == len(p) {
				return n, nil
			}
		case syscall.EAGAIN:
			c.fd.WriteBlocked()
		case syscall.EINTR:
		default:
			return n, os.NewSyscallError("write", errno)
		}
	}
}

// WriteTo copies from c to w until the peer's end of data, and returns how much;
// io.Copy uses it. It holds a buffer only between a read and the write that
// follows, so a connection that is idle in it owns none.
func (c *conn) WriteTo(w io.Writer) (sum int64, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if !c.fd.OnLoop() {
		return io.Copy(w, struct{ io.Reader }{c})
	}
	for {
		if err := c.fd.WaitRead(); err != nil {
			return sum, c.failed("read", err)
		}
		n, end, err := c.pass(w)
		sum += int64(n)
		if end || err != nil {
			return sum, err
		}
	}
}

// pass reads once and writes what it read to w. An io.EOF of w's is an error,
// not the end of c's data.
func (c *conn) pass(w io.Writer) (n int, end bool, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	n, err = c.Read(buf[:])
	if err == io.EOF {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	m, err := w.Write(buf[:n])
	if err == nil && m < n {
		err = io.ErrShortWrite
	}
	return m, false, err
}

const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Close closes the connection. Reads and writes that wait return with
// [ErrClosed] at once; data written is still sent, unless SetLinger says
// otherwise.
func (c *conn) Close() error {
	if !c.ok() {
		return syscall.EINVAL
	}
	return closeFD(&c.fd, func(err error) error { return c.failed("close", err) })
}

// CloseRead shuts down the reading side: reads return io.EOF.
func (c *conn) CloseRead() error {
	return c.control("close", func(fd int) error { return c.shutdown(fd, unix.SHUT_RD) })
}

// CloseWrite shuts down the writing side: the peer reads the end of the data,
// and may go on sending.
func (c *conn) CloseWrite() error {
	return c.control("close", func(fd int) error { return c.shutdown(fd, unix.SHUT_WR) })
}

func (c *conn) shutdown(fd, how int) error {
	return os.NewSyscallError("shutdown", c.sys.Shutdown(fd, how))
}

// LocalAddr returns the address of this end, also once the connection is closed.
func (c *conn) LocalAddr() Addr { return c.local }

// RemoteAddr returns the address of the peer, also once the connection is closed.
func (c *conn) RemoteAddr() Addr { return c.peer }

// SetDeadline sets the read and the write deadline. An operation that waits at
// t, or is begun later, fails with [os.ErrDeadlineExceeded], until another
// deadline is set; the zero t means none.
func (c *conn) SetDeadline(t time.Time) error {
	return c.control("set", func(int) error {
		return errors.Join(c.fd.SetReadDeadline(t), c.fd.SetWriteDeadline(t))
	})
}

// SetReadDeadline is as [conn.SetDeadline], for reads. Moving a deadline to a
// later time costs next to nothing, so it can be done at each message.
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.control("set", func(int) error { return c.fd.SetReadDeadline(t) })
}

// SetWriteDeadline is as [conn.SetDeadline], for writes.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.control("set", func(int) error { return c.fd.SetWriteDeadline(t) })
}

// SetReadBuffer sets the size of the kernel's receive buffer, in bytes.
func (c *conn) SetReadBuffer(bytes int) error {
	return c.setInt(unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
}

// SetWriteBuffer sets the size of the kernel's send buffer, in bytes.
func (c *conn) SetWriteBuffer(bytes int) error {
	return c.setInt(unix.SOL_SOCKET, unix.SO_SNDBUF, bytes)
}

func (c *conn) setInt(level, option, value int) error {
	return c.control("set", func(fd int) error {
		return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, level, option, value))
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
	if _, wrapped := err.(*OpError); wrapped {
		return err
	}
	return &OpError{Op: op, Net: c.local.Network(), Source: c.local, Addr: c.peer, Err: plain(err)}
}
