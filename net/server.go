package net

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Server bounds and counts the connections that it serves, of any number of
// listeners, by [Server.Serve] or [Server.ServeReady]. The zero Server is ready to
// use. It must not be copied, and its fields not changed, once it serves.
type Server struct {
	// Grace is how long handlers may go on once the server stops accepting,
	// before their connections are closed and their ctx cancelled. 0 means
	// five seconds; negative means not at all.
	Grace time.Duration

	// MaxConns is how many connections the server has at a time, of all its
	// listeners; 0 means any number. Further ones wait in the kernel's queue,
	// or, with Shed, are accepted and closed at once.
	MaxConns int
	Shed     bool

	// MaxConnsPerAddr is how many of them may come from one address, or one network
	// of 64 bits in IPv6; 0 or less means any number. Further ones are closed at once, as
	// by Shed. Peers without an IP address are not counted. It costs a look into
	// a map for each connection.
	MaxConnsPerAddr int

	// IdleTimeout is for how long nothing may be read from a connection, nor
	// written to it, while the handler waits for the one or the other.
	// MessageTimeout is how long a message may take to arrive, however steadily
	// it trickles in: from the first bytes that are read until the handler
	// writes something, an answer. When a peer takes longer, Serve cancels the
	// handler, with the cause [ErrIdleTimeout] or [ErrMessageTimeout], and
	// ServeReady closes the connection. 0 means no limit. Each costs a look at
	// the clock for each read and write. Over TLS the plain text counts, and the
	// handshake as idle time; so it does with other connections that use a [Meter].
	IdleTimeout    time.Duration
	MessageTimeout time.Duration

	// Logger is where handlers' errors go; nil means slog.Default(). The loop does
	// not wait for it: see [reactor.Loop.Logger]. What repeats itself is summed up:
	// of one kind of error, five lines are logged in ten seconds, and then one that
	// says how often it came.
	Logger *slog.Logger

	stats stats
	room  reactor.Event // set when a connection ends
	addrs addrCounts    // if MaxConnsPerAddr is set
}

// Serve serves ln with a [Server] that has no limits.
func Serve(ctx context.Context, ln Listener, handler func(ctx context.Context, c Conn) error) error {
	return (&Server{}).Serve(ctx, ln, handler)
}

// ErrServerClosed is the cause with which handlers are cancelled that have not
// returned when the grace time is over.
var ErrServerClosed = errors.New("net: the server is closed")

// Serve accepts connections from ln, until ctx is done or ln is closed, and
// calls handler for each, in a task of its own. The connection is closed when handler
// returns. Errors that only mean that the connection ended, or that the server shuts
// down, are ignored; others are logged, and so are a panic and a runtime.Goexit. None
// touches other connections. Once stopped, Serve closes ln, lets the handlers finish for the
// grace time, closes what connections are left, and waits for their handlers.
// Handlers' ctx carries ctx's values, but is cancelled only after the grace; how they learn
// before that the server shuts down, see [UntilDrain] and [Draining].
//
// If a handler returns nil while there is unread input, or in the midst of a shutdown,
// the connection is half-closed first, and closed when its peer has closed it, after half
// a second, or a megabyte: so no reset destroys the last answer.
//
// Accept may fail: for want of file descriptors or memory, because of a peer's
// network, for reasons of a firewall or the kernel. Then accepting goes on, with a
// line in the log; it pauses before, unless the failure is one peer's. Only a
// listener that is gone ends Serve: its error is [ErrClosed], io.EOF or that
// of a descriptor which is no listening socket. So does a deadline of the
// listener's that has passed.
//
// Serve returns nil when it was stopped by ctx or by closing ln, and otherwise
// the error that ended accepting. It is called by a task of ln's loop. A Server
// can serve several listeners of one loop.
func (s *Server) Serve(ctx context.Context, ln Listener, handler func(ctx context.Context, c Conn) error) error {
	if handler == nil {
		return errors.New("net: Serve without a handler")
	}
	return s.serve(ctx, ln, &serving{start: (*serving).startTask, handler: handler})
}

// serve is Serve and ServeReady, which differ in how a connection is started.
func (s *Server) serve(ctx context.Context, ln Listener, v *serving) error {
	if ln == nil {
		return errors.New("net: Serve without a listener")
	}
	if !core.InTask(ctx) {
		return opError("serve", ln.Addr().Network(), nil, ln.Addr(), errors.New("must be called by a task, with its ctx: see reactor.Run"))
	}
	log := s.Logger
	if log == nil {
		log = slog.Default()
	}
	v.Server, v.log = s, newSummary(ctx, reactor.LoopOf(ctx).Logger(log))
	defer v.log.end()
	v.empty.Set()
	shielded := context.WithValue(context.WithoutCancel(ctx), servingKey{}, v)
	err := reactor.Scope(shielded, func(handlers context.Context, scope *reactor.CancelScope) error {
		v.ctx = handlers
		accepting := reactor.Go(ctx, func(ctx context.Context) error { return v.accept(ctx, ln) })
		accepting.SetName("accepts on " + ln.Addr().String())
		err := accepting.Wait(shielded)
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
	log   *summary
	start func(v *serving, c Conn) error

	handler      func(ctx context.Context, c Conn) error // Serve's
	readyHandler func(ctx context.Context, c *ReadyConn) error

	draining bool
	idlers   idlers

	conns connSet
	empty reactor.Event // no connection is left
}
