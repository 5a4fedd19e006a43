package http

import (
	"errors"
	"io"
	"net/http"

	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
)

// maxRest is the largest part of a request's body, in bytes, that the server
// reads after its handler, to keep the connection.
const maxRest = 256 << 10

// A body is the body of a request. It holds a lock of eddy's while it reads,
// because the standard library's holds a mutex, which would block the loop. It
// never closes that one, because that reads without bound.
//
// Invariant: its fields, but for those set at first, are guarded by mu.
type body struct {
	c     *conn
	w     *response
	inner io.ReadCloser
	from  *http.Request // the request that inner belongs to

	mu     poll.Mutex
	rest   int64 // -1 if unknown
	sawEOF bool
	seen   bool // the handler has read the end
	closed bool
	early  bool // closed before its end
}

func (b *body) lock() error {
	if ctx := core.Here(b.c.ctx); ctx != nil {
		return b.mu.Lock(ctx)
	}
	if !core.OnLoop(b.c.ctx) {
		b.mu.LockApart()
	} else if !b.mu.TryLock(false) {
		return errInCallback
	}
	return nil
}

var errInCallback = errors.New("http: the body is being read, and a callback can't wait: start a task with reactor.Go and read it there")

func (b *body) Read(p []byte) (int, error) {
	if err := b.lock(); err != nil {
		return 0, err
	}
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	b.w.sendContinue()
	n, err := b.read(p)
	b.seen = b.seen || err == io.EOF
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if b.sawEOF {
		return 0, io.EOF
	}
	n, err := b.inner.Read(p)
	if b.rest >= 0 {
		b.rest -= int64(n)
	}
	if err == io.EOF {
		b.sawEOF = true
		b.w.req.Trailer = b.from.Trailer
		b.c.watch()
	}
	return n, err
}

// Close reads a bounded rest of the body, so that the connection can be used
// again, and makes later reads fail.
func (b *body) Close() error {
	if err := b.lock(); err != nil {
		return err
	}
	defer b.mu.Unlock()
	return b.close()
}

func (b *body) close() (err error) {
	if b.closed {
		return nil
	}
	switch {
	case b.sawEOF:
	case b.rest > maxRest:
		b.early = true
	default:
		var n int64
		if n, err = io.CopyN(io.Discard, readerFunc(b.read), maxRest); err == io.EOF {
			err = nil
		}
		b.early = n == maxRest
	}
	b.closed = true
	return err
}

// A fate is what becomes of a connection with unread parts of a request.
type fate uint8

const (
	goesOn fate = iota
	ends
	tooLong // the rest is longer than the server reads
)

// drain reads the rest of the body before the response begins: a client may
// read only after it has sent all.
func (b *body) drain() fate {
	if b.lock() != nil {
		return ends
	}
	defer b.mu.Unlock()
	switch {
	case b.closed && b.sawEOF:
		return goesOn
	case b.closed:
		return ends
	case b.rest >= maxRest:
		return tooLong
	}
	switch _, err := io.CopyN(io.Discard, readerFunc(b.read), maxRest+1); err {
	case nil:
		return tooLong
	case io.EOF:
		b.closed = true
		return goesOn
	}
	return ends
}

// unread reports whether the body was closed before its end.
func (b *body) unread() bool {
	if b.lock() != nil {
		return true
	}
	defer b.mu.Unlock()
	return b.early
}

// wasRead reports whether the handler has read the body to its end.
func (b *body) wasRead() bool {
	if b.lock() != nil {
		return false
	}
	defer b.mu.Unlock()
	return b.seen
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
