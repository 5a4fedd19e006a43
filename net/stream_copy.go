package net

import (
	"errors"
	"io"
	"sync"

	"github.com/eddyio/eddy/reactor"
)

// copyStream moves up to limit bytes from src to dst, streams of the same loop,
// until the end of src. What comes in small pieces goes by way of the loop's own
// buffer: a connection that is idle here holds none, and no deep stack.
func copyStream(dst, src *conn, limit int64) (moved int64, err error) {
	for moved < limit {
		if err := src.fd.WaitRead(); err != nil {
			return moved, src.failed("read", err)
		}
		n, err := copyPiece(dst, src, limit-moved)
		moved += int64(n)
		if err != nil {
			return endCopy(dst, src, limit, moved, err)
		}
	}
	return moved, nil
}

// endCopy goes on where copyStream can't.
func endCopy(dst, src *conn, limit, moved int64, why error) (int64, error) {
	switch why {
	case io.EOF:
		return moved, nil
	case errFull:
		rest, err := copyLarge(dst, src, limit-moved)
		return moved + rest, err
	}
	return moved, why
}

// copyPiece reads once, and writes what it has read. The error is errFull if that
// was as much as there was room for, and [io.EOF] at the end of src.
func copyPiece(dst, src *conn, limit int64) (int, error) {
	room := src.fd.Scratch() // not before the wait: it is lent until the next one
	n, err := src.tryRead(room[:min(int64(len(room)), limit)])
	if err != nil {
		return 0, src.readError(err)
	}
	p := room[:n]
	if n, err = dst.writeBorrowed(p); err != nil {
		return n, dst.failed("write", err)
	}
	if n == len(room) {
		return n, errFull
	}
	return n, nil
}

var errFull = errors.New("there may be more")

// A streamCopy moves data that comes in such quantities that it fills the loop's
// buffer. That is more than copying is good for: what follows is spliced, if it
// can be.
type streamCopy struct {
	dst, src *conn
	left     int64 // how much to move at most
	moved    int64
	bulk     bool // the last piece was as large as there was room for
	cannot   bool // splice
	pipes    *pipePool
}

// copyLarge is the rest of a copyStream whose last piece was a full one.
func copyLarge(dst, src *conn, limit int64) (int64, error) {
	s := streamCopy{dst: dst, src: src, left: limit, bulk: true}
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
	if s.bulk && !s.cannot && !s.src.fd.Shared() && !s.dst.fd.Shared() {
		return s.splice()
	}
	n, err := copyPiece(s.dst, s.src, s.left)
	s.count(n)
	s.bulk = err == errFull
	switch err {
	case io.EOF:
		return true, nil
	case errFull:
		return false, nil
	}
	return false, err
}

func (s *streamCopy) count(n int) {
	s.moved += int64(n)
	s.left -= int64(n)
}

// streamOf returns the conn of a stream of this package, or nil.
func streamOf(v any) *conn {
	c := connOf(v)
	if c == nil || !c.ok() || !c.tcp && c.net() != "unix" {
		return nil
	}
	return c
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

const bufferSize = reactor.ScratchSize

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
