package net

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Server serves the connections of listeners, each in a task of its own.
// The zero Server, given a handler, is ready to use.
type Server struct {
	// Handler is called for each connection, in a task of its own. The
	// connection is closed when it returns. An error that says no more than
	// that the peer is gone, or that the server shuts down, is nothing to
	// speak of; others are logged, and so is a panic. Neither touches other
	// connections.
	Handler func(ctx context.Context, c Conn) error

	// Grace is how long handlers may go on once the server stops accepting,
	// before their connections are closed and their ctx cancelled. 0 means
	// five seconds; negative means not at all.
	Grace time.Duration

	// Logger is where handlers' errors go; nil means slog.Default().
	Logger *slog.Logger
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
// the error that ended accepting. It is called by a task of ln's loop.
func (s *Server) Serve(ctx context.Context, ln Listener) error {
	if s.Handler == nil {
		return errors.New("net: Serve without a handler")
	}
	if ln == nil {
		return errors.New("net: Serve without a listener")
	}
	if !reactor.InTask(ctx) {
		return opError("serve", ln.Addr().Network(), ln.Addr(), errors.New("must be called by a task, with its ctx: see reactor.Run"))
	}
	v := &serving{server: s, log: s.Logger}
	if v.log == nil {
		v.log = slog.Default()
	}
	shielded := context.WithoutCancel(ctx)
	err := reactor.Go(ctx, func(ctx context.Context) error { return v.accept(ctx, shielded, ln) }).Wait(shielded)
	ln.Close()
	v.finish(shielded)
	if ctx.Err() != nil || errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// serving is one Serve. Its connections are in a circular list, in the order in
// which they came.
type serving struct {
	server *Server
	log    *slog.Logger
	first  *served
}

// served is one connection and its handler's task.
type served struct {
	v          *serving
	conn       Conn
	task       *reactor.Task[struct{}]
	next, prev *served
}

// acceptPause is how long accepting rests when there are no resources for
// another connection.
const acceptPause = 100 * time.Millisecond

func (v *serving) accept(ctx, shielded context.Context, ln Listener) error {
	starved := false
	for {
		c, err := ln.Accept()
		switch {
		case err == nil:
			starved = false
			v.start(shielded, c)
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

func (v *serving) start(ctx context.Context, c Conn) {
	e := &served{v: v, conn: c}
	v.add(e)
	e.task = reactor.Go(ctx, e.handle)
	e.task.OnDone(e.done)
}

func (e *served) handle(ctx context.Context) error {
	defer e.conn.Close()
	return e.v.server.Handler(ctx, e.conn)
}

func (e *served) done() {
	e.v.remove(e)
	_, err := e.task.Result()
	if err != nil && !isUnremarkable(err) {
		e.v.log.Error("net: a handler failed", "peer", e.conn.RemoteAddr().String(), "error", err)
	}
}

// isUnremarkable says whether a handler's error only means that its connection
// ended, from either side.
func isUnremarkable(err error) bool {
	if _, panicked := errors.AsType[*reactor.PanicError](err); panicked {
		return false // whatever it panicked with
	}
	for _, e := range []error{io.EOF, ErrClosed, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// finish waits for the handlers for the grace time, and then ends them.
func (v *serving) finish(ctx context.Context) {
	grace := v.server.Grace
	if grace == 0 {
		grace = 5 * time.Second
	}
	reactor.Timeout(ctx, grace, v.wait)
	for _, e := range v.left() { // a copy: a Close may suspend, and handlers end meanwhile
		e.task.Cancel(ErrServerClosed)
		e.conn.Close()
	}
	v.wait(ctx)
}

// left returns the connections whose handlers have not returned.
func (v *serving) left() []*served {
	var all []*served
	for e := v.first; e != nil; {
		all = append(all, e)
		if e = e.next; e == v.first {
			break
		}
	}
	return all
}

// wait waits until all handlers have returned.
func (v *serving) wait(ctx context.Context) error {
	for v.first != nil {
		e := v.first
		e.task.Wait(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		if e == v.first { // its done is about to be called
			reactor.Yield(ctx)
		}
	}
	return nil
}

func (v *serving) add(e *served) {
	if v.first == nil {
		v.first, e.next, e.prev = e, e, e
		return
	}
	last := v.first.prev
	e.next, e.prev = v.first, last
	last.next, v.first.prev = e, e
}

func (v *serving) remove(e *served) {
	if e.next == e {
		v.first = nil
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	if v.first == e {
		v.first = e.next
	}
}
