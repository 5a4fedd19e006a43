package net

import (
	"io"
	"math"
	"syscall"
)

// ReadFrom copies from r to c until the end of r, and returns how much; io.Copy
// uses it. An *os.File, also in an io.LimitedReader, is sent by the kernel
// (sendfile(2)), from its current position. Reading the file from a disk blocks
// the loop meanwhile, but other tasks run between pieces. Large transfers from
// another connection of the loop are spliced (splice(2)). Everything else is
// copied with a buffer of the package's.
func (c *TCPConn) ReadFrom(r io.Reader) (n int64, err error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err = c.readFrom(r)
	if err != nil {
		err = wrapInOpError("readfrom", c.net(), c.local, c.peer, err) // also if the write's is one, as in std
	}
	return n, err
}

func (c *TCPConn) readFrom(r io.Reader) (int64, error) {
	src, limit := unlimited(r)
	if limit <= 0 {
		return 0, nil
	}
	if from := streamOf(src); together(from, &c.conn) {
		n, err := copyStream(&c.conn, from, limit)
		spend(r, n)
		return n, err
	}
	var sent int64
	if f := fileIn(src); f != nil {
		n, done, err := c.sendFile(f, limit)
		spend(r, n)
		if done || err != nil {
			return n, err
		}
		sent = n
	}
	n, err := c.copyFrom(r)
	return sent + n, err
}

// copyFrom is ReadFrom for all readers.
func (c *TCPConn) copyFrom(r io.Reader) (sum int64, err error) {
	for {
		n, end, err := pass(c, r)
		sum += int64(n)
		if end || err != nil {
			return sum, err
		}
	}
}

// unlimited returns the reader in a LimitedReader, and how much of it may be
// read; any other reader is returned with no limit.
func unlimited(r io.Reader) (io.Reader, int64) {
	if l, ok := r.(*io.LimitedReader); ok {
		return l.R, l.N
	}
	return r, math.MaxInt64
}

// spend lowers a LimitedReader's limit by what was read from the reader in it.
func spend(r io.Reader, n int64) {
	if l, ok := r.(*io.LimitedReader); ok {
		l.N -= n
	}
}
