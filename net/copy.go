package net

import (
	"io"
	"sync"
)

// A streamCopy moves data from a stream to another of the same loop. What comes
// in small pieces is copied by way of the loop's own buffer: a connection that is
// idle holds none. What fills the buffer is more than copying is good for, and what
// follows it is spliced, if it can be.
type streamCopy struct {
	dst, src *conn
	left     int64 // how much to move at most
	moved    int64
	bulk     bool // the last piece was as large as there was room for
	cannot   bool // splice
	pipes    *pipePool
}

// copyStream moves up to limit bytes from src to dst, until the end of src.
func copyStream(dst, src *conn, limit int64) (int64, error) {
	s := streamCopy{dst: dst, src: src, left: limit}
	defer s.release()
	for s.left > 0 {
		if err := src.fd.WaitRead(); err != nil {
			return s.moved, src.failed("read", err)
		}
		if end, err := s.step(); end || err != nil {
			return s.moved, err
		}
	}
	return s.moved, nil
}

func (s *streamCopy) step() (end bool, err error) {
	if s.bulk && !s.cannot {
		return s.splice()
	}
	room := s.src.fd.Scratch() // not before the wait: it is lent until the next one
	p := room[:min(int64(len(room)), s.left)]
	n, err := s.src.tryRead(p)
	switch err {
	case nil:
	case errAgain:
		return false, nil
	case io.EOF:
		return true, nil
	default:
		return false, s.src.failed("read", err)
	}
	s.bulk = n == len(room)
	n, err = s.dst.write(p[:n])
	s.count(n)
	if err != nil {
		return false, s.dst.failed("write", err)
	}
	return false, nil
}

func (s *streamCopy) count(n int) {
	s.moved += int64(n)
	s.left -= int64(n)
}

// streamOf returns the conn of a stream of this package, or nil.
func streamOf(v any) *conn {
	switch c := v.(type) {
	case *TCPConn:
		if c != nil && c.ok() {
			return &c.conn
		}
	case *UnixConn:
		if c != nil && c.ok() && c.network == "unix" {
			return &c.conn
		}
	}
	return nil
}

// together says whether two conns, either of which may be nil, are of one loop.
func together(a, b *conn) bool { return a != nil && b != nil && a.fd.Loop() == b.fd.Loop() }

// pass reads once from r and writes what it read to w, with a buffer for no
// longer than that.
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

const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
