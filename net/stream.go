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
func (c *stream) WriteTo(w io.Writer) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	dst := streamOf(w)
	switch near := together(dst, &c.conn); {
	case !c.fd.OnLoop():
		return c.writeToElsewhere(w, near)
	case near:
		return copyStream(dst, &c.conn, math.MaxInt64)
	}
	return c.passTo(w)
}

// writeToElsewhere is WriteTo on another goroutine than the loop's. Only what
// will not block is written to on the loop.
func (c *stream) writeToElsewhere(w io.Writer, near bool) (int64, error) {
	if near {
		return elsewhere(&c.fd, func() (int64, error) { return c.WriteTo(w) })
	}
	return io.Copy(w, struct{ io.Reader }{c})
}

// passTo is WriteTo of any writer.
func (c *stream) passTo(w io.Writer) (sum int64, err error) {
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

// CloseRead shuts down the reading side: reads return io.EOF.
func (c *stream) CloseRead() error {
	return c.shut(unix.SHUT_RD)
}

// CloseWrite shuts down the writing side: the peer reads the end of the data,
// and may go on sending.
func (c *stream) CloseWrite() error {
	return c.shut(unix.SHUT_WR)
}
