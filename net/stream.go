package net

import (
	"io"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// stream is a conn whose data has no bounds within, and an end.
type stream struct{ conn }

// WriteTo copies from c to w until the peer's end of data, and returns how much;
// io.Copy uses it. It holds a buffer only between a read and the end of the
// write that follows, so a connection that is idle in it owns none.
func (c *stream) WriteTo(w io.Writer) (sum int64, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	dst := streamOf(w)
	switch {
	case !c.fd.OnLoop() && together(dst, &c.conn):
		return elsewhere(&c.fd, func() (int64, error) { return c.WriteTo(w) })
	case !c.fd.OnLoop():
		return io.Copy(w, struct{ io.Reader }{c})
	case together(dst, &c.conn):
		return copyStream(dst, &c.conn, math.MaxInt64)
	case takesBorrowed(w):
		return c.lend(w)
	}
	for {
		if err := c.fd.WaitRead(); err != nil {
			return sum, c.failed("read", err)
		}
		n, end, err := pass(w, c)
		sum += int64(n)
		if end || err != nil {
			return sum, err
		}
	}
}

// takesBorrowed says whether what Borrow returns may be given to w's Write.
func takesBorrowed(w io.Writer) bool {
	switch w.(type) {
	case *TCPConn, *UnixConn, *ReadyConn:
		return true
	}
	return false
}

// lend is WriteTo of a writer that takes borrowed bytes.
func (c *stream) lend(w io.Writer) (sum int64, err error) {
	for {
		p, err := c.Borrow()
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
		n, err := w.Write(p)
		sum += int64(n)
		if err != nil {
			return sum, err
		}
	}
}

// CloseRead shuts down the reading side: reads return io.EOF.
func (c *stream) CloseRead() error {
	return c.shut(unix.SHUT_RD)
}

// CloseWrite shuts down the writing side: the peer reads the end of the data,
// and may go on sending.
func (c *stream) CloseWrite() error {
	return c.shut(unix.SHUT_WR)
}
