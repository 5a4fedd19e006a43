package net

import (
	"io"
	"sync"

	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
)

// copyStream moves up to limit bytes from src to dst, for which together holds,
// until the end of src.
func copyStream(dst, src *conn, limit int64) (int64, error) {
	n, failed := poll.Copy(&dst.fd, &src.fd, limit)
	return n, copyFailed(dst, src, failed)
}

// copyFailed returns the error of a copy.
//
//go:noinline
func copyFailed(dst, src *conn, failed *poll.CopyError) error {
	switch {
	case failed == nil:
		return nil
	case failed.Write:
		return dst.failed("write", failed.Err)
	}
	return src.failed("read", failed.Err)
}

// streamOf returns the conn of a stream of this package, or nil.
func streamOf(v any) *conn {
	c := connOf(v)
	if c == nil || !c.ok() || !c.tcp && c.net() != "unix" {
		return nil
	}
	return c
}

// together reports whether copyStream can copy between two conns, either of
// which may be nil.
func together(a, b *conn) bool { return a != nil && b != nil && poll.Together(&a.fd, &b.fd) }

// pass reads once from r and writes what it read to w. It holds a buffer only
// meanwhile.
func pass(w io.Writer, r io.Reader) (n int, end bool, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	got, err := r.Read(buf[:])
	if end = err == io.EOF; end {
		err = nil
	}
	if got == 0 {
		return 0, end, err
	}
	n, werr := w.Write(buf[:got])
	if werr == nil && n < got {
		werr = io.ErrShortWrite
	}
	if werr != nil {
		err = werr
	}
	return n, end, err
}

const bufferSize = core.ScratchSize

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
