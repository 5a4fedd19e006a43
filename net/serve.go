package net

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Server serves the connections of listeners, each in a task of its own.
// The zero Server, given a handler, is ready to use. It must not be copied, and
// its fields not changed, once it serves.
type Server struct {
	// Handler is called for each connection, in a task of its own. The
	// connection is closed when it returns. An error that says no more than
	// that the peer is gone, or that the server shuts down, is nothing to
	// speak of; others are logged, and so is a panic. Neither touches other
	// connections.
	Handler func(ctx context.Context, c Conn) error

	// ReadyHandler is what ServeReady calls in its place.
	ReadyHandler func(ctx context.Context, c *ReadyConn) error

	// Grace is how long handlers may go on once the server stops accepting,
	// before their connections are closed and their ctx cancelled. 0 means
	// five seconds; negative means not at all.
	Grace time.Duration

	// MaxConns is how many connections the server has at a time, of all its
	// listeners; 0 means any number. Further ones wait in the kernel's queue,
	// or, with Shed, are accepted and closed at once.
	MaxConns int
	Shed     bool

	// IdleTimeout is for how long nothing may be read from a connection, nor
	// written to it, while the handler waits for the one or the other.
	// MessageTimeout is how long a message may take to arrive, however steadily
	// it trickles in: from the first bytes that are read until the handler
	// writes something, an answer. When a peer takes longer, Serve cancels the
	// handler, with the cause [ErrIdleTimeout] or [ErrMessageTimeout], and
	// ServeReady closes the connection. 0 means no limit. Each costs a look at
	// the clock for each read and write.
	IdleTimeout    time.Duration
	MessageTimeout time.Duration

	// Logger is where handlers' errors go; nil means slog.Default().
	Logger *slog.Logger

	stats stats
	room  reactor.Event // set when a connection ends
}

// Serve serves ln with a [Server] that has this handler.
func Serve(ctx context.Context, ln Listener, handler func(ctx context.Context, c Conn) error) error {
	return (&Server{Handler: handler}).Serve(ctx, ln)
}

// ErrServerClosed is the cause with which handlers are cancelled that have not
// returned when the grace time is over.
var ErrServerClosed = errors.New("net: the server is closed")

// Serve accepts connections from ln, until ctx is done or ln is closed, and
// calls s.Handler for each. Then it closes ln, lets the handlers finish for the
// grace time, closes what connections are left, and waits for their handlers.
// Handlers' ctx carries ctx's values, but is cancelled only after the grace.
//
// When the process is out of file descriptors, or the kernel out of memory,
// accepting pauses for a moment, with a line in the log, and goes on.
//
// Serve returns nil when it was stopped by ctx or by closing ln, and otherwise
// the error that ended accepting. It is called by a task of ln's loop. A Server
// can serve several listeners of one loop.
func (s *Server) Serve(ctx context.Context, ln Listener) error {
	if s.Handler == nil {
		return errors.New("net: Serve without a handler")
	}
	return s.serve(ctx, ln, (*serving).startTask)
}

// serve is Serve and ServeReady, which differ in how a connection is started.
func (s *Server) serve(ctx context.Context, ln Listener, start func(v *serving, c Conn) error) error {
	if ln == nil {
		return errors.New("net: Serve without a listener")
	}
	if !reactor.InTask(ctx) {
		return opError("serve", ln.Addr().Network(), ln.Addr(), errors.New("must be called by a task, with its ctx: see reactor.Run"))
	}
	v := &serving{Server: s, log: s.Logger, start: start}
	if v.log == nil {
		v.log = slog.Default()
	}
	v.empty.Set()
	shielded := context.WithoutCancel(ctx)
	err := reactor.Scope(shielded, func(handlers context.Context, scope *reactor.CancelScope) error {
		v.ctx = handlers
		err := reactor.Go(ctx, func(ctx context.Context) error { return v.accept(ctx, ln) }).Wait(shielded)
		ln.Close()
		v.finish(shielded, scope)
		return err
	})
	if ctx.Err() != nil || errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// serving is one Serve or ServeReady.
type serving struct {
	*Server
	ctx   context.Context // the handlers'
	log   *slog.Logger
	start func(v *serving, c Conn) error
	conns connSet
	empty reactor.Event // no connection is left
}

// acceptPause is how long accepting rests when there are no resources for
// another connection.
const acceptPause = 100 * time.Millisecond

func (v *serving) accept(ctx context.Context, ln Listener) error {
	starved := false
	for {
		if err := v.waitForRoom(ctx); err != nil {
			return err
		}
		c, err := ln.Accept()
		switch {
		case err == nil:
			starved = false
			if err := v.admit(c); err != nil {
				return err
			}
		case isStarved(err):
			if !starved {
				starved = true
				v.log.Warn("net: accepting pauses: out of resources for another connection", "addr", ln.Addr().String(), "error", err)
			}
			if err := reactor.Sleep(ctx, acceptPause); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// waitForRoom waits while there are too many connections, unless they are shed.
func (v *serving) waitForRoom(ctx context.Context) error {
	for v.isFull() && !v.Shed {
		v.room.Clear()
		if err := v.room.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *serving) isFull() bool { return v.MaxConns > 0 && v.stats.active.Load() >= int64(v.MaxConns) }

// admit starts to serve a connection.
func (v *serving) admit(c Conn) error {
	if v.isFull() { // another listener's may have come meanwhile
		v.stats.shed.Add(1)
		c.Close()
		return nil
	}
	if err := v.start(v, c); err != nil {
		c.Close()
		return err
	}
	v.stats.accepted.Add(1)
	v.stats.active.Add(1)
	v.empty.Clear()
	return nil
}

// left is called once a connection is closed and its handler has returned.
func (v *serving) left(m member, err error) {
	v.conns.remove(m)
	v.stats.active.Add(-1)
	v.room.Set()
	if v.conns.len() == 0 {
		v.empty.Set()
	}
	switch {
	case errors.Is(err, ErrIdleTimeout), errors.Is(err, ErrMessageTimeout):
		v.stats.expired.Add(1)
	case err != nil && !isUnremarkable(err):
		v.stats.failed.Add(1)
		v.log.Error("net: a handler failed", "peer", m.peerAddr().String(), "error", err)
	}
}

func isStarved(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ENOSPC: // epoll's limit of registrations
		return true
	}
	return false
}

// isUnremarkable reports whether a handler's error only means that its connection
// ended, from either side. What is joined to such an error counts by itself.
func isUnremarkable(err error) bool {
	switch e := err.(type) {
	case *reactor.PanicError:
		return false // whatever it panicked with
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(e error) bool { return !isUnremarkable(e) })
	}
	if isEnd(err) {
		return true
	}
	inner := errors.Unwrap(err)
	return inner != nil && isUnremarkable(inner)
}

// isEnd reports whether err, whatever it wraps, is the end of a connection.
func isEnd(err error) bool {
	is, _ := err.(interface{ Is(error) bool })
	for _, e := range []error{io.EOF, ErrClosed, os.ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE} {
		if err == e || is != nil && is.Is(e) {
			return true
		}
	}
	return false
}

// finish waits for the handlers for the grace time, and then ends them.
func (v *serving) finish(ctx context.Context, handlers *reactor.CancelScope) {
	grace := v.Grace
	if grace == 0 {
		grace = 5 * time.Second
	}
	for _, m := range v.conns.copy() {
		m.drain()
	}
	if grace > 0 {
		reactor.Timeout(ctx, grace, v.empty.Wait)
	}
	handlers.Cancel(ErrServerClosed)
	for _, m := range v.conns.copy() { // a copy: a Close may suspend, and handlers end meanwhile
		m.end()
	}
	v.empty.Wait(ctx)
}

// served is a connection and its handler's task.
type served struct {
	v      *serving
	conn   Conn
	task   *reactor.Task[struct{}]
	limits *limits
	place  int
}

func (v *serving) startTask(c Conn) error {
	e := &served{v: v, conn: c}
	if v.hasLimits() {
		below, err := limitable(c)
		if err != nil {
			return err
		}
		e.limits = v.limit(v.ctx, below, func(err error) { e.task.Cancel(err) })
	}
	v.conns.add(e)
	e.task = reactor.Launch(v.ctx, e)
	return nil
}

// Run and Over make it a reactor.Runner. The connection is closed by the task,
// for to close one of TLS may have to wait; after a panic it is closed by Over. A
// deferred call would cost the stack of every idle connection sixty bytes of the
// thousand or so that it has before it grows.

func (e *served) Run(ctx context.Context) error {
	err := e.v.Handler(ctx, e.conn)
	e.conn.Close()
	return err
}

func (e *served) Over(err error) {
	e.conn.Close()
	if e.limits != nil {
		err = e.limits.stop(err)
	}
	e.v.left(e, err)
}

func (e *served) index() *int    { return &e.place }
func (e *served) peerAddr() Addr { return e.conn.RemoteAddr() }
func (e *served) drain()         {} // the handler knows when it is done
func (e *served) end()           { e.conn.Close() }

// String names the handler's task.
func (e *served) String() string { return "serves " + e.conn.RemoteAddr().String() }
