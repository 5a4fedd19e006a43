package net

import (
	"context"
	"errors"
	"io"

	"github.com/eddyio/eddy/reactor/core"
)

// A ReadyConn is a connection that ServeReady serves. Its methods are those of
// the other conns, and may be called from any goroutine.
type ReadyConn struct {
	stream

	// State is the handler's: what it has to remember of the connection from one
	// call to the next.
	State any

	// Partial is set by the handler that has read a part of a message and waits for the
	// rest: on shutdown, the connection is then not closed before the grace time is over.
	Partial bool

	v       *serving
	dormant core.Dormant
	limits  *limits // nil: anything
	place   int
}

// ServeReady serves ln with a [Server] that has no limits.
func ServeReady(ctx context.Context, ln Listener, handler func(ctx context.Context, c *ReadyConn) error) error {
	return (&Server{}).ServeReady(ctx, ln, handler)
}

// ServeReady is like Serve, for very many connections that are mostly idle: one
// that waits has no task, no stack and no buffer, some 400 bytes in all. Each
// time there is something to be read, handler is called, in a task: it
// reads, with Borrow say, and answers, and may wait for whatever it likes; until
// it returns it is not called again for this connection.
//
// When it returns nil, the connection goes on waiting; what it has left
// unread brings the next call on the next turn of the loop. When it returns an
// error, the connection is closed; [io.EOF], which Borrow and Read return at the
// end of the peer's data, is the ordinary one. A read deadline that passes
// brings a call too, in which reads fail. ctx is valid until the handler
// returns, and not to be kept.
//
// On shutdown, connections that wait are closed at once, unless there is something to
// read or they are Partial; those with a handler have the grace time, and are closed
// when it returns. ln must be a listener of this package's for TCP or Unix
// sockets; otherwise ServeReady is like [Server.Serve].
func (s *Server) ServeReady(ctx context.Context, ln Listener, handler func(ctx context.Context, c *ReadyConn) error) error {
	if handler == nil {
		return errors.New("net: ServeReady without a handler")
	}
	ready, ok := ln.(readyListener)
	if !ok || ln.Addr().Network() == "unixpacket" {
		return errors.New("net: ServeReady needs a listener of this package's, for TCP or Unix sockets: use Serve")
	}
	return s.serve(ctx, readying{ready}, &serving{start: (*serving).startReady, readyHandler: handler})
}

// A readyListener can accept into a ReadyConn.
type readyListener interface {
	Listener
	acceptReady(c *ReadyConn) error
}

func (l *TCPListener) acceptReady(c *ReadyConn) error { return l.acceptInto(&c.conn) }

func (l *UnixListener) acceptReady(c *ReadyConn) error { return l.acceptInto(&c.conn) }

// readying is a listener that accepts ReadyConns.
type readying struct{ readyListener }

func (l readying) Accept() (Conn, error) {
	c := &ReadyConn{}
	if err := l.acceptReady(c); err != nil {
		return nil, err
	}
	return c, nil
}

func (v *serving) startReady(accepted Conn) error {
	c := accepted.(*ReadyConn)
	c.v = v
	if v.hasLimits() {
		c.limits = v.limit(v.ctx, &c.conn, func(error) { c.Close() })
	}
	v.conns.add(c)
	c.dormant.Start(v.ctx, c.fd.Core(), (*readyRunner)(c))
	return nil
}

func (c *ReadyConn) index() *int { return &c.place }

func (c *ReadyConn) peerAddr() Addr { return c.RemoteAddr() }

func (c *ReadyConn) end() { c.Close() }

// drain closes a connection that waits for its peer's next message.
func (c *ReadyConn) drain() {
	if c.dormant.Waits() && !c.Partial && c.input() != someInput {
		c.Close()
	}
}

// PauseReading keeps the handler from being called until ResumeReading, so that
// the kernel's buffers fill up, and the peer has to wait. It is called by tasks and
// callbacks of the loop, the handler among them.
func (c *ReadyConn) PauseReading() { c.dormant.Pause() }

// ResumeReading undoes PauseReading.
func (c *ReadyConn) ResumeReading() { c.dormant.Resume() }

// readyRunner is the ReadyConn as a core.Runner.
type readyRunner ReadyConn

func (r *readyRunner) Run(ctx context.Context) error {
	err := r.v.readyHandler(ctx, (*ReadyConn)(r))
	if err == nil && r.v.draining {
		return (*ReadyConn)(r).drained(ctx)
	}
	if err == nil {
		r.fd.ReadRest()
	}
	return err
}

// drained ends a connection whose handler has returned in the midst of a shutdown, unless
// its peer has sent more.
func (c *ReadyConn) drained(ctx context.Context) error {
	switch c.input() {
	case noInput:
		if c.Partial {
			c.fd.ReadRest()
			return nil
		}
		c.v.linger(ctx, c)
		return io.EOF
	case someInput:
		return nil
	}
	return io.EOF
}

// Over is called for whatever reason the connection ends.
func (r *readyRunner) Over(err error) {
	c := (*ReadyConn)(r)
	if c.limits != nil {
		err = c.limits.stop(err)
	}
	c.Close()
	c.v.left(c, err)
}

// String names the task of a handler.
func (r *readyRunner) String() string { return "serves " + full(r.peer).String() }
