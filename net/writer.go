package net

import (
	"cmp"
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor"
)

// A Writer writes to a connection without waiting: for callbacks, or for a task
// that sends one message to a thousand clients, some of them slow. It buffers
// what the kernel does not take at once, up to a limit, and sends it later. A
// task that can wait calls Drain, which waits while too much is buffered. It is
// asyncio's StreamWriter.
//
// Its methods may be called by tasks and callbacks of the loop, and panic elsewhere.
// Do not write to the connection directly while the Writer holds data. It must
// not be copied.
type Writer struct {
	// Limit is the most that the Writer holds. When it holds more than High,
	// Drain waits until it holds no more than Low. All are in bytes, and may be
	// changed before the first Write.
	Limit, High, Low int

	ctx    context.Context
	conn   Conn
	direct *conn  // conn, if it is this package's own
	held   []byte // to be sent next
	taken  int    // length of what flush is sending
	busy   bool   // flush runs
	paused bool   // more than High was held, and not yet down to Low
	err    error  // what ended it

	resumed reactor.Event // set while not paused, and once it has failed
	flushed reactor.Event // set while nothing is held, and once it has failed
}

// NewWriter returns a Writer to c with a Limit of 1 MiB, a High of 64 KiB and a
// Low of 16 KiB. A task below ctx sends what it holds; that is lost when ctx is
// done.
func NewWriter(ctx context.Context, c Conn) *Writer {
	w := &Writer{Limit: 1 << 20, High: 64 << 10, Low: 16 << 10, ctx: ctx, conn: c, direct: connOf(c)}
	w.resumed.Set()
	w.flushed.Set()
	return w
}

// ErrWriterFull is returned for a Write that would make a [Writer] hold more
// than its Limit.
var ErrWriterFull = errors.New("net: the Writer holds too much already: its peer is slow; wait by Drain, write less, or close the connection")

// Write sends p, or holds a copy of what can't be sent at once; it never waits.
// It takes all of p or nothing: then the error is [ErrWriterFull], or that of
// this or an earlier write. Write notices at once if a connection of this
// package is closed or its write deadline has passed. Other failures are
// returned by the Writes and Drains that follow the attempt to send.
func (w *Writer) Write(p []byte) (int, error) {
	w.check()
	if w.err != nil {
		return 0, w.err
	}
	if w.unsent()+len(p) > w.Limit {
		return 0, cmp.Or(w.broken(), ErrWriterFull)
	}
	n, err := w.writeNow(p)
	if err != nil {
		w.fail(err)
		return n, err
	}
	if n < len(p) {
		if err := w.broken(); err != nil {
			return n, err
		}
		w.hold(p[n:])
	}
	return len(p), nil
}

// broken ends the Writer if it is known that what it holds can't be sent, and
// returns the error.
func (w *Writer) broken() error {
	if w.err != nil {
		return w.err
	}
	err := w.ctx.Err()
	if c := w.direct; err == nil && c != nil && c.ok() {
		err = c.fd.WriteErr()
	}
	if err != nil {
		w.fail(w.failed(err))
	}
	return w.err
}

// failed returns the error that the connection's Write would return.
func (w *Writer) failed(err error) error {
	if w.direct == nil || !w.direct.ok() {
		return err
	}
	return w.direct.failed("write", err)
}

// writeNow writes what the kernel takes, if nothing is held that must be sent
// first.
func (w *Writer) writeNow(p []byte) (int, error) {
	c := w.direct
	if c == nil || w.unsent() > 0 || !c.ok() {
		return 0, nil
	}
	n, err := c.fd.WriteNow(p)
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

func (w *Writer) hold(p []byte) {
	w.held = append(w.held, p...)
	w.flushed.Clear()
	if !w.paused && w.unsent() > w.High {
		w.paused = true
		w.resumed.Clear()
	}
	if !w.busy {
		w.busy = true
		reactor.Go(w.ctx, w.flush)
	}
}

// flushPiece is how much is written before waiters are woken.
const flushPiece = 64 << 10

// flush sends what is held, until there is no more. It keeps its error in w.
func (w *Writer) flush(context.Context) error {
	defer func() { w.busy = false }()
	for len(w.held) > 0 && w.err == nil {
		p := w.held
		w.held, w.taken = nil, len(p)
		for w.taken > 0 {
			n, err := w.conn.Write(p[:min(len(p), flushPiece)])
			p = p[n:]
			w.taken -= n
			if err != nil {
				w.fail(err)
				return nil
			}
			w.sent()
		}
	}
	return nil
}

// sent wakes waiters after less is held.
func (w *Writer) sent() {
	if w.paused && w.unsent() <= w.Low {
		w.paused = false
		w.resumed.Set()
	}
	if w.unsent() == 0 {
		w.flushed.Set()
	}
}

func (w *Writer) fail(err error) {
	w.err = err
	w.held, w.taken = nil, 0
	w.resumed.Set()
	w.flushed.Set()
}

// Buffered returns how many bytes are held.
func (w *Writer) Buffered() int {
	w.check()
	return w.unsent()
}

func (w *Writer) unsent() int { return len(w.held) + w.taken }

// check panics if w's loop runs and the caller is not a task or callback of it:
// IsSet checks that.
func (w *Writer) check() { w.flushed.IsSet() }

// Drain waits, if more than High is held, until no more than Low is. A task
// that calls it after each Write writes no faster than the peer reads. The
// error is ctx's, or that of a write that failed.
func (w *Writer) Drain(ctx context.Context) error { return w.await(ctx, &w.resumed) }

// Flush waits until the kernel has taken everything. The errors are those of
// Drain.
func (w *Writer) Flush(ctx context.Context) error { return w.await(ctx, &w.flushed) }

func (w *Writer) await(ctx context.Context, e *reactor.Event) error {
	w.check()
	if w.unsent() > 0 {
		if err := w.broken(); err != nil {
			return err
		}
		if w.taken == 0 { // flush has not tried yet
			if err := reactor.Yield(ctx); err != nil {
				return err
			}
		}
	}
	if err := e.Wait(ctx); err != nil {
		return err
	}
	return w.err
}
