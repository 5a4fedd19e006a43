package net

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Server serves the connections of any number of listeners, by [Server.Serve]
// or [Server.ServeReady], and limits and counts them. The zero Server is ready
// to use. Once it serves, it must not be copied and its fields must not change.
type Server struct {
	// Grace is how long handlers may go on once the server stops accepting,
	// before their connections are closed and their ctx is cancelled. 0 means
	// five seconds; negative means no time.
	Grace time.Duration

	// MaxConns is the largest number of connections at a time, over all
	// listeners; 0 means no limit. Further ones wait in the kernel's queue, or,
	// with Shed, are accepted and closed at once.
	MaxConns int
	Shed     bool

	// MaxConnsPerAddr is the largest number of connections from one address, or
	// from one /64 network in IPv6; 0 or less means no limit. Further ones are
	// closed at once, as by Shed. Peers without an IP address are not counted.
	// It costs a map lookup for each connection.
	MaxConnsPerAddr int

	// IdleTimeout is the longest time without any read or write on a connection
	// while the handler waits for one. MessageTimeout is the longest time that
	// a message may take to arrive, however steadily it trickles in: from the
	// first bytes read until the handler writes an answer. When a peer takes
	// longer, Serve cancels the handler, with the cause [ErrIdleTimeout] or
	// [ErrMessageTimeout], and ServeReady closes the connection. 0 means no
	// limit. Each costs a reading of the clock for each read and write. Over
	// TLS they apply to the plain text, and the handshake counts as idle time;
	// so too with other connections that use a [Meter].
	IdleTimeout    time.Duration
	MessageTimeout time.Duration

	// Logger logs handlers' errors; nil means slog.Default(). The loop does not
	// wait for it: see [reactor.Loop.Logger]. Repeated errors are summarized:
	// of one kind, five lines are logged in ten seconds, and then one with the
	// number of others.
	Logger *slog.Logger

	stats stats
	room  reactor.Event // set when a connection ends
	addrs addrCounts    // if MaxConnsPerAddr is set
}

// Serve serves ln with the zero [Server], which has no limits.
func Serve(ctx context.Context, ln Listener, handler func(ctx context.Context, c Conn) error) error {
	return (&Server{}).Serve(ctx, ln, handler)
}

// ErrServerClosed is the cause with which handlers are cancelled that have not
// returned after the grace time.
var ErrServerClosed = errors.New("net: the server is closed")

// Serve accepts connections from ln, until ctx is done or ln is closed, and
// calls handler for each, in a task of its own. The connection is closed when handler
// returns. Errors that only mean that the connection ended, or that the server
// shuts down, are ignored; others are logged, and so are a panic and a
// runtime.Goexit. None affects other connections. Once stopped, Serve closes
// ln, lets the handlers go on for the grace time, closes the remaining
// connections, and waits for their handlers. A handler's ctx has ctx's values,
// but is cancelled only after the grace time; to learn earlier that the server
// shuts down, a handler uses [UntilDrain] and [Draining].
//
// If a handler returns nil while there is unread input, or during a shutdown,
// the connection is first half-closed. It is closed when the peer has closed
// it, or after half a second or a megabyte, so that no reset destroys the last
// answer.
//
// Accept may fail for lack of file descriptors or memory, because of a peer's
// network, a firewall or the kernel. Then Serve logs the failure and goes on
// accepting, after a pause unless the failure concerns one peer. Serve ends
// only if the listener is gone, with the error [ErrClosed], io.EOF or that of a
// descriptor that is not a listening socket, or if the listener's deadline has
// passed.
//
// Serve returns nil when it was stopped by ctx or by closing ln, and otherwise
// the error that ended accepting. It must be called by a task of ln's loop. A
// Server can serve several listeners of one loop.
func (s *Server) Serve(ctx context.Context, ln Listener, handler func(ctx context.Context, c Conn) error) error {
	if handler == nil {
		return errors.New("net: Serve without a handler")
	}
	return s.serve(ctx, ln, &serving{start: (*serving).startTask, handler: handler})
}

// serve implements Serve and ServeReady, which differ in how a connection is
// started.
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
	defer core.Nearest(ctx).Loop().ShowServer(func() core.ServerView { return s.view(ln.Addr()) })()
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

// serving is a Serve or ServeReady in progress.
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
