package net

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/eddyio/eddy/reactor/core"
)

// A ReadyConn is a connection that ServeReady serves. Its methods are those of
// the other conns, and may be called from any goroutine.
type ReadyConn struct {
	stream

	// State belongs to the handler, which keeps its state of the connection
	// there from one call to the next.
	State any

	// Partial is set by a handler that has read part of a message and waits for
	// the rest: then a shutdown does not close the connection before the grace
	// time is over.
	Partial bool

	v       *serving
	dormant core.Dormant
	limits  *limits // nil: none
	place   int
}

// ServeReady serves ln with the zero [Server], which has no limits.
func ServeReady(ctx context.Context, ln Listener, handler func(ctx context.Context, c *ReadyConn) error) error {
	return (&Server{}).ServeReady(ctx, ln, handler)
}

// ServeReady is like Serve, for very many connections that are mostly idle: a
// waiting connection has no task, no stack and no buffer, and takes about 400
// bytes. Whenever there is input, handler is called in a task. It reads, for
// instance with Borrow, and answers, and may suspend; until it returns it is
// not called again for this connection.
//
// When it returns nil, the connection waits again; if there is unread input,
// the handler is called again on the next turn of the loop. When it returns an
// error, the connection is closed; usually that is [io.EOF], which Borrow and
// Read return at the end of the peer's data. The handler is also called when a
// read deadline passes; then reads fail. ctx is valid only until the handler
// returns.
//
// On shutdown, waiting connections are closed at once, unless they have input
// or are Partial; those with a running handler have the grace time, and are
// closed when it returns. ln must be a listener of this package for TCP or Unix
// sockets. Otherwise ServeReady is like [Server.Serve].
func (s *Server) ServeReady(ctx context.Context, ln Listener, handler func(ctx context.Context, c *ReadyConn) error) error {
	if handler == nil {
		return errors.New("net: ServeReady without a handler")
	}
	ready, ok := ln.(readyListener)
	if !ok || ln.Addr().Network() == "unixpacket" {
		return errors.New("net: ServeReady needs a listener of this package for TCP or Unix sockets: use Serve")
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

// A readying is a listener that accepts ReadyConns.
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
// the kernel's buffers fill up and the peer has to wait. It may be called by
// tasks and callbacks of the loop, including the handler.
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

// drained ends a connection whose handler has returned during a shutdown,
// unless its peer has sent more.
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

// Over is called when the connection ends, for any reason.
func (r *readyRunner) Over(err error) {
	c := (*ReadyConn)(r)
	if c.limits != nil {
		err = c.limits.stop(err)
	}
	c.Close()
	c.v.left(c, err)
}

// Label names the task of a handler.
func (r *readyRunner) Label() (string, fmt.Stringer) { return "serves", r.peer }

// Function returns the handler.
func (r *readyRunner) Function() any { return r.v.readyHandler }
