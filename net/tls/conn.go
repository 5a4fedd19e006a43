package tls

import (
	"context"
	"crypto/tls"
	"errors"
	stdnet "net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
)

// A Conn is a TLS connection. It implements the standard library's net.Conn,
// and its methods are those of crypto/tls's Conn. They may be called from any
// goroutine at any time: they suspend a task, and block any other goroutine.
// The first Read or Write does the handshake, unless Handshake was called.
//
// Unlike in crypto/tls, a write that a deadline or a scope ends does not break
// the connection: the stream stays intact, and another write may follow.
//
// Invariants: unless marked otherwise, a field is guarded by shaking. Only the
// owner of shaking, before the handshake is done, and the owner of reading,
// after it, call methods that may read from the wire. These are the only waits
// inside c.tls, so its mutexes for writing are free whenever a task suspends,
// and a task waits in them for a goroutine no longer than encrypting takes. out
// holds what c.tls has encrypted until the owner of writing has written it to
// the wire. When writing is unlocked, out is empty, or about to be written,
// unless the write failed.
type Conn struct {
	ctx   context.Context // any ctx of the loop; constant
	conn  net.Conn        // constant
	tls   *tls.Conn       // constant
	limit time.Duration   // of the handshake; none if not positive

	shaking poll.Mutex
	reading poll.Mutex
	writing poll.Mutex
	done    atomic.Bool // the handshake is done
	timed   atomic.Bool // a write deadline is set; by any goroutine
	closed  atomic.Bool
	refused error      // the error of every handshake, if set
	meter   *net.Meter // of a server's limits; nil before the handshake
	crowd   *crowd     // limits concurrent handshakes; nil: no limit
	inCrowd bool

	outMu sync.Mutex
	out   []byte // encrypted data to be written
}

// Client returns the client's side of a TLS connection over conn. ctx is any
// ctx of conn's loop. The config must have ServerName or InsecureSkipVerify
// set. The caller must limit the time of the handshake: see
// [Conn.HandshakeContext].
//
// TLS 1.2 renegotiation is not supported: it would make a write wait in the
// middle of a read. If Config.Renegotiation is set the handshake fails.
func Client(ctx context.Context, conn net.Conn, config *Config) *Conn {
	c := &Conn{ctx: ctx, conn: conn}
	if config != nil && config.Renegotiation != tls.RenegotiateNever {
		c.refused = errRenegotiation
	}
	c.tls = tls.Client(wire{c}, timed(ctx, config))
	return c
}

var errRenegotiation = errors.New("tls: renegotiation is not supported: leave Config.Renegotiation zero")

// Server returns the server's side of a TLS connection over conn. ctx is any
// ctx of conn's loop. The config must have a certificate or a function that
// gets one. The handshake fails if it takes longer than ten seconds; see
// [Conn.SetHandshakeTimeout].
func Server(ctx context.Context, conn net.Conn, config *Config) *Conn {
	c := &Conn{ctx: ctx, conn: conn, limit: defaultHandshakeTimeout}
	c.tls = tls.Server(wire{c}, timedServer(ctx, config))
	return c
}

// chunk is how much is encrypted for one write to the wire.
const chunk = 64 << 10

// Read reads the plain text that there is, at least one byte, and waits for it
// if necessary. It returns io.EOF after the peer's close_notify, and
// io.ErrUnexpectedEOF if the connection ends in the middle of a record.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if err := c.lock(&c.reading); err != nil {
		return 0, c.failed("read", err)
	}
	defer c.reading.Unlock()
	if c.closed.Load() {
		return 0, c.failed("read", net.ErrClosed)
	}
	n, err := c.tls.Read(p)
	if n > 0 {
		c.meter.Heard()
	}
	c.answer()
	if err != nil && c.closed.Load() {
		err = c.failed("read", net.ErrClosed)
	}
	return n, plain(err)
}

// Write writes all of p, and waits for room if necessary. Writes of several
// tasks are not interleaved. If it fails midway it returns how much it has
// encrypted; the part of that not yet sent goes out with the next write, or
// with Close.
func (c *Conn) Write(p []byte) (n int, err error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if err := c.lock(&c.writing); err != nil {
		return 0, c.failed("write", err)
	}
	defer func() { c.unlockWriting(err) }()
	if len(p) > 0 {
		c.meter.Writing(true)
		defer c.meter.Writing(false)
	}
	return c.write(p)
}

func (c *Conn) write(p []byte) (n int, err error) {
	err = c.flush() // of an earlier write that failed
	for err == nil && n < len(p) {
		if c.closed.Load() {
			return n, c.failed("write", net.ErrClosed)
		}
		if c.timed.Load() { // a write must not begin after the deadline
			if _, err := c.conn.Write(nil); err != nil {
				return n, err
			}
		}
		var m int
		if m, err = c.tls.Write(p[n:min(len(p), n+chunk)]); err != nil {
			return n, err
		}
		n += m
		err = c.flush()
	}
	if err != nil && c.closed.Load() {
		err = c.failed("write", net.ErrClosed)
	}
	return n, err
}

// CloseWrite sends close_notify: the peer reads io.EOF, and may go on sending.
// The handshake must be done.
func (c *Conn) CloseWrite() (err error) {
	if !c.done.Load() {
		return c.tls.CloseWrite() // returns the error
	}
	if err := c.lock(&c.writing); err != nil {
		return c.failed("close", err)
	}
	defer func() { c.unlockWriting(err) }()
	if c.closed.Load() {
		return c.failed("close", net.ErrClosed)
	}
	return errors.Join(c.tls.CloseWrite(), c.flush())
}

// closeTimeout is how long Close tries to send close_notify, as in crypto/tls.
const closeTimeout = 5 * time.Second

// Close sends close_notify and closes the connection. Pending reads and writes
// return [net.ErrClosed] at once. Close waits only if the peer has not read
// what was written before; after five seconds it closes anyway, and returns an
// error. If a write is in progress, close_notify is not sent. A second Close
// returns net.ErrClosed.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	goodbye := c.sayGoodbye()
	if err := c.conn.Close(); err != nil {
		return err
	}
	return goodbye
}

func (c *Conn) sayGoodbye() error {
	apart := !core.OnLoop(c.ctx)
	if !c.done.Load() || !c.writing.TryLock(apart) {
		return nil
	}
	defer c.writing.Unlock()
	if c.reading.Locked() {
		c.conn.SetReadDeadline(time.Unix(1, 0)) // the reader returns at once
	}
	c.conn.SetWriteDeadline(time.Time{})
	if err := c.tls.CloseWrite(); err != nil {
		return nil // the connection has failed before, and its user got the error
	}
	if apart {
		c.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	}
	ctx := core.Here(c.ctx)
	if ctx == nil {
		return c.flush()
	}
	// The shield lets a task whose scope is done send close_notify too.
	return reactor.Timeout(context.WithoutCancel(ctx), closeTimeout, func(context.Context) error { return c.flush() })
}

// NetConn returns the connection below c. Reading, writing or closing it
// corrupts c.
func (c *Conn) NetConn() net.Conn { return c.conn }

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the read and the write deadline of the connection below. A
// read or write that it ends can be repeated, a handshake can't.
func (c *Conn) SetDeadline(t time.Time) error {
	c.timed.Store(!t.IsZero())
	return c.conn.SetDeadline(t)
}

// SetReadDeadline sets the read deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the write deadline. With a deadline, each 64 KiB
// written cost one more system call.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.timed.Store(!t.IsZero())
	return c.conn.SetWriteDeadline(t)
}

// ConnectionState returns the negotiated parameters. It is zero until the
// handshake is done; it does not wait.
func (c *Conn) ConnectionState() ConnectionState {
	if !c.done.Load() {
		return ConnectionState{}
	}
	return c.tls.ConnectionState()
}

// VerifyHostname checks that the peer's certificate is valid for host.
func (c *Conn) VerifyHostname(host string) error {
	if !c.done.Load() {
		return errors.New("tls: the handshake is not done, so the peer has shown no certificate: call Handshake first")
	}
	return c.tls.VerifyHostname(host)
}

// lock takes one of c's locks for the caller, a task, a callback or a goroutine.
func (c *Conn) lock(m *poll.Mutex) error {
	if ctx := core.Here(c.ctx); ctx != nil {
		return m.Lock(ctx)
	}
	if !core.OnLoop(c.ctx) {
		m.LockApart()
	} else if !m.TryLock(false) {
		return errInCallback
	}
	return nil
}

// unlockWriting unlocks writing after a write that has ended with err. A reader
// that found it locked has left its answer for others to write.
func (c *Conn) unlockWriting(err error) {
	c.writing.Unlock()
	if err == nil {
		c.answer()
	}
}

// failed returns the error that package net would return.
func (c *Conn) failed(op string, err error) error {
	local := c.conn.LocalAddr()
	return &stdnet.OpError{Op: op, Net: local.Network(), Source: local, Addr: c.conn.RemoteAddr(), Err: err}
}

var (
	errInCallback = errors.New("tls: the operation would have to wait, which a callback can't: start a task with reactor.Go and do it there")
	errNoLoop     = errors.New("tls: the ctx that the connection was made with belongs to no loop: make it in reactor.Run, with the ctx that a task's function receives")
)
