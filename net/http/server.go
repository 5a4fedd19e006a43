package http

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A Server serves HTTP/1.x. Its fields are those of the standard library's
// Server. Once it serves, it must not be copied and its fields must not change.
// A Server belongs to one loop.
type Server struct {
	Handler http.Handler // nil means http.DefaultServeMux

	// DisableGeneralOptionsHandler passes "OPTIONS *" requests to the Handler.
	DisableGeneralOptionsHandler bool

	// ReadTimeout limits the reading of a request with its body, and
	// ReadHeaderTimeout that of its header; 0 means that of ReadTimeout.
	// WriteTimeout limits the time from the end of the header to the end of the
	// response. IdleTimeout limits the wait for the next request; 0 means
	// ReadTimeout. In all of them, no limit is 0 or less.
	ReadTimeout       time.Duration
	ReadHeaderTimeout time.Duration
	WriteTimeout      time.Duration
	IdleTimeout       time.Duration

	// MaxHeaderBytes limits the size of a request's header, without its last
	// 4 KiB. 0 means 1 MiB.
	MaxHeaderBytes int

	// Strict refuses what proxies may understand in different ways, and what
	// the standard library accepts: folded header lines, lines that end in a
	// bare LF, and a Content-Length beside a Transfer-Encoding.
	Strict bool

	// ConnState, if set, is called when a connection changes its state. It must
	// not suspend.
	ConnState func(net.Conn, http.ConnState)

	// ConnContext, if set, returns the context of a connection's requests,
	// which must be derived from ctx.
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	// ErrorLog logs panics and mistakes of handlers. nil means Conns.Logger.
	ErrorLog *log.Logger

	// Conns has the limits of connections, the grace time, and the log. Its
	// IdleTimeout and MessageTimeout know nothing of HTTP; those above do.
	Conns net.Server

	std       *http.Server // for http.ServerContextKey
	closing   bool
	noAlive   bool
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	served    reactor.Event // set when a Serve returns
}

// Serve serves connections from ln until ctx is done, ln is closed, or the
// server is shut down. On shutdown it closes idle connections and waits for
// handlers as [net.Server.Serve] does. It returns [http.ErrServerClosed] after
// Shutdown and Close, and else the error of net.Server.Serve. It must be called
// by a task of ln's loop.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.closing {
		return http.ErrServerClosed
	}
	if s.listeners == nil {
		s.listeners = make(map[net.Listener]struct{})
		s.conns = make(map[*conn]struct{})
		s.std = s.standard()
	}
	s.listeners[ln] = struct{}{}
	ctx = context.WithValue(ctx, http.ServerContextKey, s.std)
	err := s.Conns.Serve(ctx, ln, s.serve)
	delete(s.listeners, ln)
	s.served.Set()
	if err == nil && s.closing {
		err = http.ErrServerClosed
	}
	return err
}

// standard returns a std server with the settings of s, for code that looks at
// the value of http.ServerContextKey.
func (s *Server) standard() *http.Server {
	return &http.Server{
		Handler: s.Handler, DisableGeneralOptionsHandler: s.DisableGeneralOptionsHandler,
		ReadTimeout: s.ReadTimeout, ReadHeaderTimeout: s.ReadHeaderTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.IdleTimeout,
		MaxHeaderBytes: s.MaxHeaderBytes, ConnState: s.ConnState, ConnContext: s.ConnContext, ErrorLog: s.ErrorLog,
	}
}

// Shutdown stops accepting, closes idle connections, and waits until all Serve
// calls have returned: handlers have the grace time of Conns. It returns ctx's
// error if ctx is done first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	for len(s.listeners) > 0 {
		s.served.Clear()
		if err := s.served.Wait(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Close closes all listeners and connections, except hijacked ones, at once. It
// does not wait for handlers; their contexts are cancelled.
func (s *Server) Close() error {
	err := s.stop()
	for c := range s.conns {
		c.leave(http.ErrServerClosed)
		err = errors.Join(err, c.rwc.Close())
	}
	return err
}

func (s *Server) stop() (err error) {
	s.closing = true
	for ln := range s.listeners {
		if e := ln.Close(); e != nil && !errors.Is(e, net.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// SetKeepAlivesEnabled sets whether connections are kept after a response, as
// they are by default.
func (s *Server) SetKeepAlivesEnabled(v bool) { s.noAlive = !v }

// serve serves a connection in its task.
func (s *Server) serve(ctx context.Context, rwc net.Conn) error {
	c := newConn(s, rwc)
	s.conns[c] = struct{}{}
	c.setState(http.StateNew)
	defer c.end()
	err := c.serve(ctx)
	if c.hijacked {
		return net.ErrDetached
	}
	return err
}

func (s *Server) keepsAlive(ctx context.Context) bool {
	return !s.noAlive && !s.closing && !net.Draining(ctx)
}

// handler returns what serves r.
func (s *Server) handler(r *http.Request) http.Handler {
	switch {
	case r.RequestURI == "*" && r.Method == http.MethodOptions && !s.DisableGeneralOptionsHandler:
		return http.HandlerFunc(serveOptions)
	case s.Handler == nil:
		return http.DefaultServeMux
	}
	return s.Handler
}

// maxOptions limits, in bytes, the body of a request for general options.
const maxOptions = 4 << 10

func serveOptions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "0")
	if n, _ := io.CopyN(io.Discard, r.Body, maxOptions+1); n > maxOptions {
		w.Header().Set("Connection", "close")
	}
}

func (s *Server) readHeaderTimeout() time.Duration {
	if s.ReadHeaderTimeout != 0 {
		return s.ReadHeaderTimeout
	}
	return s.ReadTimeout
}

func (s *Server) idleTimeout() time.Duration {
	if s.IdleTimeout != 0 {
		return s.IdleTimeout
	}
	return s.ReadTimeout
}

// headerSlop is how much longer than MaxHeaderBytes a header may be.
const headerSlop = 4 << 10

func (s *Server) maxHeader() int64 {
	if s.MaxHeaderBytes > 0 {
		return int64(s.MaxHeaderBytes) + headerSlop
	}
	return http.DefaultMaxHeaderBytes + headerSlop
}

// report logs a mistake of a handler, or its panic.
func (s *Server) report(ctx context.Context, level slog.Level, text string, args ...any) {
	if s.ErrorLog == nil {
		to := s.Conns.Logger
		if to == nil {
			to = slog.Default()
		}
		reactor.LoopOf(ctx).Logger(to).Log(ctx, level, "http: "+text, args...)
		return
	}
	line := "http: " + text
	for i := 1; i < len(args); i += 2 {
		line += " " + toString(args[i])
	}
	s.ErrorLog.Print(line)
}
