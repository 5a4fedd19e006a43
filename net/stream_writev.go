package net

import (
	"io"
	"syscall"

	"github.com/eddyio/eddy/reactor/poll"
)

// Buffers is bytes in several pieces, to be written one after the other. A
// connection of this package takes many of them in one system call (writev(2)).
// The standard library's net.Buffers, whose fast way is closed to types that are
// not its own, is written to one in as many calls as it has pieces.
type Buffers [][]byte

// buffersWriter is who can do so.
type buffersWriter interface {
	writeBuffers(*Buffers) (int64, error)
}

// WriteTo writes all of v to w, and takes from v what was written, so that after
// an error v holds the rest. The bytes are left alone, but not the slices of
// them that v is made of. It may be called wherever w.Write may.
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

// Read takes as many bytes from v as p has room for, and returns io.EOF when
// there are no more.
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
