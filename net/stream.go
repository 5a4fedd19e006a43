package net

import (
	"io"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor/poll"
)

// stream is a conn whose data is a stream of bytes with an end.
type stream struct{ conn }

// WriteTo copies from c to w until the peer's end of data, and returns how much;
// io.Copy uses it. It holds a buffer only between a read and the end of the
// write that follows, so a connection that is idle in it owns none.
func (c *stream) WriteTo(w io.Writer) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if dst := streamOf(w); together(dst, &c.conn) {
		n, failed := poll.Copy(&dst.fd, &c.fd, math.MaxInt64) // copyStream, inlined by hand: its frame would be on each idle connection's stack
		if failed == nil {
			return n, nil
		}
		return n, copyFailed(dst, &c.conn, failed)
	}
	return c.passTo(w)
}

// passTo is WriteTo for any writer.
//
//go:noinline
func (c *stream) passTo(w io.Writer) (sum int64, err error) {
	if !c.fd.OnLoop() {
		return io.Copy(w, struct{ io.Reader }{c})
	}
	for {
		if err := c.fd.AwaitRead(); err != nil {
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
