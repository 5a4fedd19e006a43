package tls

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A wire is the connection that crypto/tls reads and writes.
type wire struct{ *Conn }

// Write never waits and never fails, so tasks never suspend in crypto/tls while
// it writes.
func (w wire) Write(p []byte) (int, error) {
	c := w.Conn
	c.outMu.Lock()
	defer c.outMu.Unlock()
	if c.out == nil {
		c.out = buffers.Get().(*[bufferSize]byte)[:0]
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

// Read waits. It first writes pending output: the peer may wait for it.
func (w wire) Read(p []byte) (n int, err error) {
	c := w.Conn
	if err = c.hold(); err == nil {
		n, err = c.conn.Read(p)
	}
	if err == nil {
		err = c.join()
	}
	if err != nil && c.isInterrupted(err) {
		err = interrupted{err}
	}
	return n, err
}

// Close is called by crypto/tls when the ctx of a handshake is done, on any goroutine.
// The end of that scope has ended the wait already; the user closes the
// connection.
func (w wire) Close() error { return nil }

// SetWriteDeadline is called only by crypto/tls, to limit the sending of
// close_notify. Write needs no limit, and flush has its own.
func (w wire) SetWriteDeadline(time.Time) error { return nil }

func (w wire) SetDeadline(t time.Time) error     { return w.conn.SetDeadline(t) }
func (w wire) SetReadDeadline(t time.Time) error { return w.conn.SetReadDeadline(t) }
func (w wire) LocalAddr() net.Addr               { return w.conn.LocalAddr() }
func (w wire) RemoteAddr() net.Addr              { return w.conn.RemoteAddr() }

// interrupted wraps an error after which the connection is still usable. By its
// method Temporary crypto/tls knows that a read may be repeated.
type interrupted struct{ error }

func (interrupted) Timeout() bool   { return false }
func (interrupted) Temporary() bool { return true }

func (c *Conn) isInterrupted(err error) bool {
	return errors.Is(err, context.Canceled) || core.OnLoop(c.ctx) && core.Here(c.ctx) == nil && !isFinal(err)
}

// isFinal reports whether a callback's error is that of the connection. The
// other possible one is that a callback can't wait.
func isFinal(err error) bool {
	_, fromKernel := errors.AsType[syscall.Errno](err)
	return fromKernel || err == io.EOF || errors.Is(err, net.ErrClosed)
}

// plain undoes interrupted.
func plain(err error) error {
	if i, ok := err.(interrupted); ok {
		return i.error
	}
	return err
}

// bufferSize is enough for a chunk in TLS 1.3 records, even small ones, such as
// the first ones of a connection.
const bufferSize = chunk + chunk/8

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// flush writes c.out, including what is added while it waits. If it fails, the
// unwritten rest stays there, so that the stream has no gap.
func (c *Conn) flush() error {
	for buf := c.takeOut(); len(buf) > 0; buf = c.takeOut() {
		n, err := c.conn.Write(buf)
		if err != nil {
			c.outMu.Lock()
			c.out = append(buf[n:], c.out...)
			c.outMu.Unlock()
			return err
		}
		if cap(buf) == bufferSize {
			buffers.Put((*[bufferSize]byte)(buf[:bufferSize]))
		}
	}
	return nil
}

func (c *Conn) takeOut() []byte {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	buf := c.out
	c.out = nil
	return buf
}

// unwritten returns the length of c.out.
func (c *Conn) unwritten() int {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	return len(c.out)
}

// answer starts writing a reader's output: its part of a handshake, a key
// update, an alert. The reader does not wait for it: the peer may itself be
// writing, and not read until it is done.
func (c *Conn) answer() {
	if c.unwritten() == 0 || c.writing.Locked() {
		return // the owner of the lock writes it
	}
	apart := !core.OnLoop(c.ctx)
	flush := func(context.Context) error {
		if c.writing.TryLock(apart) {
			defer c.writing.Unlock()
			c.flush() // the next write gets its error too
		}
		return nil
	}
	switch {
	case apart:
		go flush(c.ctx)
	case core.Here(c.ctx) == nil:
		flush(c.ctx)
	default:
		reactor.GoNow(context.WithoutCancel(c.ctx), flush)
	}
}

// maxAnswers bounds, in bytes, the output that a reader leaves for others to
// write.
const maxAnswers = bufferSize

// hold answers, and makes the reader wait if its peer keeps asking without
// reading.
func (c *Conn) hold() error {
	c.answer()
	if c.unwritten() <= maxAnswers {
		return nil
	}
	if err := c.lock(&c.writing); err != nil {
		return err
	}
	c.writing.Unlock()
	return nil
}
