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

// A wire is the connection that crypto/tls believes to have below it.
type wire struct{ *Conn }

// Write never waits and never fails: the loop's tasks call crypto/tls one at
// a time, because of this.
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

// Read waits. What is to be said is said first: the peer may wait for it.
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
// The end of that scope has ended the wait already; to close is the user's business.
func (w wire) Close() error { return nil }

// SetWriteDeadline is called by crypto/tls alone, to limit a goodbye. Write
// needs no limit, and flush has another.
func (w wire) SetWriteDeadline(time.Time) error { return nil }

func (w wire) SetDeadline(t time.Time) error     { return w.conn.SetDeadline(t) }
func (w wire) SetReadDeadline(t time.Time) error { return w.conn.SetReadDeadline(t) }
func (w wire) LocalAddr() net.Addr               { return w.conn.LocalAddr() }
func (w wire) RemoteAddr() net.Addr              { return w.conn.RemoteAddr() }

// interrupted is an error that says nothing about the connection. Temporary is
// the word by which crypto/tls knows that a read may be repeated.
type interrupted struct{ error }

func (interrupted) Timeout() bool   { return false }
func (interrupted) Temporary() bool { return true }

func (c *Conn) isInterrupted(err error) bool {
	return errors.Is(err, context.Canceled) || core.OnLoop(c.ctx) && core.Here(c.ctx) == nil && !isFinal(err)
}

// isFinal reports whether a callback's error is the connection's. The other one it
// can get is that it can't wait.
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

// bufferSize is enough for a chunk in records of TLS 1.3, also if they are small,
// as the first ones of a connection are.
const bufferSize = chunk + chunk/8

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// flush writes what there is in c.out, and what is added while it waits. What is
// not written when it fails stays there, so that the stream has no gap.
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

// unwritten returns how much there is in c.out.
func (c *Conn) unwritten() int {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	return len(c.out)
}

// answer sees to it that what a reader has to say gets written: its part of a
// handshake, that it has new keys, that it won't go on. The reader does not wait for
// that: the peer may itself be about to write, and not read before it is done.
func (c *Conn) answer() {
	if c.unwritten() == 0 || c.writing.Locked() {
		return // the one that has the lock goes on with it
	}
	apart := !core.OnLoop(c.ctx)
	flush := func(context.Context) error {
		if c.writing.TryLock(apart) {
			defer c.writing.Unlock()
			c.flush() // the next write meets its error too
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

// maxAnswers bounds, in bytes, what a reader leaves to others to be written.
const maxAnswers = bufferSize

// hold answers, and lets a reader wait whose peer asks and asks, and never reads.
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
