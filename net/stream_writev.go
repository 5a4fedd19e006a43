package net

import (
	"io"
	"syscall"

	"github.com/eddyio/eddy/reactor/poll"
)

// Buffers holds slices to be written one after the other. A connection of this
// package writes many of them in one system call (writev(2)). With the standard
// library's net.Buffers it would make one call for each: its fast path is only
// for the standard library's own types.
type Buffers [][]byte

// A buffersWriter writes Buffers in few calls.
type buffersWriter interface {
	writeBuffers(*Buffers) (int64, error)
}

// WriteTo writes all of v to w, and removes from v what was written, so that
// after an error v holds the rest. It modifies the slices that v consists of,
// but not their bytes. It may be called wherever w.Write may.
func (v *Buffers) WriteTo(w io.Writer) (sum int64, err error) {
	if w, ok := w.(buffersWriter); ok {
		return w.writeBuffers(v)
	}
	for len(*v) > 0 {
		n, err := w.Write((*v)[0])
		sum += int64(n)
		if err == nil && n < len((*v)[0]) {
			err = io.ErrShortWrite
		}
		v.consume(n)
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Read removes up to len(p) bytes from v and copies them to p. It returns
// io.EOF when there are no more.
func (v *Buffers) Read(p []byte) (n int, err error) {
	for len(*v) > 0 && n < len(p) {
		m := copy(p[n:], (*v)[0])
		v.consume(m)
		n += m
	}
	if len(*v) == 0 {
		err = io.EOF
	}
	return n, err
}

func (v *Buffers) consume(n int) { poll.Consume((*[][]byte)(v), n) }

func (c *conn) writeBuffers(v *Buffers) (int64, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.Writev((*[][]byte)(v))
	if err != nil {
		err = c.failed("writev", err)
	}
	return n, err
}
