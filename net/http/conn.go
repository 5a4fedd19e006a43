package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A conn is a connection and its current request.
type conn struct {
	server *Server
	rwc    net.Conn
	remote string
	tls    *tls.ConnectionState // nil without TLS

	in  *bufio.Reader // reads from the conn
	out *bufio.Writer // writes to the conn

	allowance  int64 // bytes that may be read
	recording  bool
	raw        []byte // what has been read for a header, while recording
	lastMethod string

	ctx     context.Context      // of the request, or of the connection
	scope   *reactor.CancelScope // of the request; nil between requests
	current *response            // nil between requests
	isLeft  bool                 // the request's context has ended because the client left
	failed  error                // of a write
	ended   bool                 // a read has got the end of the input, or an error
	peer    net.PeerWatch
	peeker  *reactor.Task[struct{}]

	hijacked bool
}

const unlimited = math.MaxInt64

var (
	readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
)

func newConn(s *Server, rwc net.Conn) *conn {
	c := &conn{server: s, rwc: rwc}
	if a := rwc.RemoteAddr(); a != nil {
		c.remote = a.String()
	}
	return c
}

// end is called when the connection is closed, or hijacked.
func (c *conn) end() {
	delete(c.server.conns, c)
	if c.hijacked {
		return
	}
	if c.out != nil {
		c.out.Flush() // what a handler wrote before it panicked
		c.out.Reset(nil)
		writers.Put(c.out)
	}
	if c.in != nil {
		c.in.Reset(nil)
		readers.Put(c.in)
	}
	c.in, c.out = nil, nil
	c.setState(http.StateClosed)
}

func (c *conn) setState(s http.ConnState) {
	if hook := c.server.ConnState; hook != nil {
		hook(c.rwc, s)
	}
}

// serve serves requests until the connection is to be closed, or is hijacked.
func (c *conn) serve(ctx context.Context) error {
	if f := c.server.ConnContext; f != nil {
		if ctx = f(ctx, c.rwc); ctx == nil {
			return errors.New("http: ConnContext returned nil")
		}
	}
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, c.rwc.LocalAddr())
	c.ctx = ctx
	if err := c.handshake(ctx); err != nil {
		return err
	}
	c.in, c.out = readers.Get().(*bufio.Reader), writers.Get().(*bufio.Writer)
	c.in.Reset(c)
	c.out.Reset(c)
	c.limitRead(c.server.readHeaderTimeout())
	if err := c.awaitInput(ctx, 1); err != nil && c.in.Buffered() == 0 {
		return io.EOF
	}
	for {
		r, err := c.readRequest(ctx)
		if len(c.raw) > 0 {
			c.setState(http.StateActive)
		}
		if c.server.closing || ctx.Err() != nil {
			return io.EOF
		}
		if err != nil {
			if !c.refuse(err) && isReadError(err) {
				return err
			}
			return nil
		}
		if again := c.answer(ctx, r); !again {
			return nil
		}
		c.setState(http.StateIdle)
		if !c.server.keepsAlive(ctx) {
			return nil
		}
		c.limitRead(c.server.idleTimeout())
		if err := c.awaitInput(ctx, fewest); err != nil {
			return io.EOF
		}
		c.limitRead(c.server.readHeaderTimeout())
	}
}

// fewest is how many bytes of a next request must arrive, as in the standard
// library, before its time limits begin.
const fewest = 4

// awaitInput waits for n bytes of a request, or until the server shuts down.
func (c *conn) awaitInput(ctx context.Context, n int) error {
	if c.in.Buffered() >= n {
		return nil
	}
	c.allowance = unlimited
	return net.UntilDrain(ctx, func(context.Context) error {
		_, err := c.in.Peek(n)
		return err
	})
}

// limitRead sets the read deadline to d from now, or to none.
func (c *conn) limitRead(d time.Duration) {
	var t time.Time
	if d > 0 {
		t = reactor.Now(c.ctx).Add(d)
	}
	c.rwc.SetReadDeadline(t)
}

// handshake does that of TLS, if c has it.
func (c *conn) handshake(ctx context.Context) error {
	t, ok := c.rwc.(interface {
		HandshakeContext(ctx context.Context) error
		ConnectionState() tls.ConnectionState
		NetConn() net.Conn
	})
	if !ok {
		return nil
	}
	var until time.Time
	if d := c.server.handshakeTimeout(); d > 0 {
		until = reactor.Now(ctx).Add(d)
	}
	c.rwc.SetDeadline(until)
	if err := t.HandshakeContext(ctx); err != nil {
		if h, ok := errors.AsType[tls.RecordHeaderError](err); ok && isHTTP(h.RecordHeader) {
			io.WriteString(t.NetConn(), "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
			err = errors.New("client sent an HTTP request to an HTTPS server")
		}
		c.server.report(ctx, slog.LevelError, "TLS handshake error", "peer", c.remote, "error", err)
		return io.EOF
	}
	c.rwc.SetDeadline(time.Time{})
	state := t.ConnectionState()
	c.tls = &state
	return nil
}

// isHTTP reports whether a client began with a request instead of TLS.
func isHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// answer handles a request, and reports whether another one may follow.
func (c *conn) answer(ctx context.Context, r *http.Request) (again bool) {
	finished := false
	reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
		c.ctx, c.scope = ctx, s
		c.current = newResponse(c, r, ctx)
		defer c.unwatch()
		finished = c.handle(c.current)
		return nil
	})
	w := c.current
	c.ctx, c.scope, c.current = ctx, nil, nil
	if c.hijacked || !finished {
		return false
	}
	w.finish()
	c.rwc.SetWriteDeadline(time.Time{})
	return w.mayGoOn()
}

// handle calls the handler, and reports whether it returned.
func (c *conn) handle(w *response) (ok bool) {
	defer func() {
		if ok {
			return
		}
		switch v := recover(); {
		case v == nil: // runtime.Goexit
		case core.IsCutOff(v):
			panic(v)
		case v != http.ErrAbortHandler:
			c.server.report(c.ctx, slog.LevelError, "panic", "peer", c.remote, "value", v, "stack", string(debug.Stack()))
		}
	}()
	expect := first(w.req.Header, "Expect")
	switch {
	case hasToken(expect, "100-continue"):
		w.mayContinue = w.req.ProtoAtLeast(1, 1) && w.req.ContentLength != 0
		w.expected = w.mayContinue
	case expect != "":
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusExpectationFailed)
		return true
	}
	if w.body == nil {
		c.watch()
	}
	c.server.handler(w.req).ServeHTTP(w, w.req)
	return true
}

// errLeft is the cause of a request's cancellation when its client has left.
var errLeft = errors.New("http: the client has left")

// watch makes the request's context end when the client leaves. It is called
// when the request has been read.
func (c *conn) watch() {
	if c.scope == nil || c.hijacked || c.in.Buffered() > 0 || !core.OnLoop(c.ctx) {
		return
	}
	if c.ended {
		c.leave(errLeft)
		return
	}
	c.rwc.SetReadDeadline(time.Time{})
	if c.tls != nil {
		c.readAhead()
		return
	}
	c.peer.Stop()
	c.peer.Start(c.rwc, func(left bool) {
		if left {
			c.leave(errLeft)
		}
	})
}

// readAhead is watch for TLS, in a task that reads: crypto/tls may hold the end of
// the stream already, and nothing on the wire tells.
func (c *conn) readAhead() {
	if c.peeker == nil {
		c.peeker = reactor.Go(c.ctx, func(context.Context) error {
			c.in.Peek(1) // Read notices the end
			return nil
		})
	}
}

// unwatch undoes watch.
func (c *conn) unwatch() {
	c.peer.Stop()
	if task := c.peeker; task != nil {
		c.peeker = nil
		task.Cancel(nil)
		task.Wait(context.WithoutCancel(c.ctx))
	}
}

// leave ends the request's context, if there is a request.
func (c *conn) leave(cause error) {
	if c.scope != nil {
		c.isLeft = true
		c.scope.Cancel(cause)
	}
}

// Read reads from the connection, for c.in.
func (c *conn) Read(p []byte) (int, error) {
	if c.allowance <= 0 {
		return 0, io.EOF
	}
	n, err := c.rwc.Read(p[:min(int64(len(p)), c.allowance)])
	c.allowance -= int64(n)
	if c.recording {
		c.raw = append(c.raw, p[:n]...)
	}
	if err != nil && !isOfScope(err) && core.OnLoop(c.ctx) {
		c.ended = true // the last bytes of TLS come with it
		c.leave(errLeft)
	}
	return n, err
}

// maxRaw is the size, in bytes, up to which the memory of a recording is kept.
const maxRaw = 4 << 10

// record makes recorded return what is read from c.in from now on.
func (c *conn) record() {
	if cap(c.raw) > maxRaw {
		c.raw = nil
	}
	p, _ := c.in.Peek(c.in.Buffered())
	c.raw = append(c.raw[:0], p...)
	c.recording = true
}

func (c *conn) recorded() []byte {
	c.recording = false
	raw := c.raw[:len(c.raw)-c.in.Buffered()]
	return raw
}

// Write writes to the connection, for c.out. A client may have shut down only its
// sending side: so the end of the request's context does not keep a response
// from it.
func (c *conn) Write(p []byte) (n int, err error) {
	if n, err = c.rwc.Write(p); err != nil && c.isLeft && isOfScope(err) {
		var m int
		reactor.Scope(context.WithoutCancel(c.ctx), func(context.Context, *reactor.CancelScope) error {
			m, err = c.rwc.Write(p[n:])
			return nil
		})
		n += m
	}
	if err != nil && c.failed == nil {
		c.failed = err
		if core.OnLoop(c.ctx) {
			c.leave(errLeft)
		}
	}
	return n, err
}

func isOfScope(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isReadError reports whether err is the connection's, and not about what was
// read.
func isReadError(err error) bool {
	if err == io.EOF || isOfScope(err) {
		return true
	}
	if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
		return true
	}
	op, ok := err.(*net.OpError)
	return ok && op.Op == "read"
}

func toString(v any) string { return fmt.Sprint(v) }

// handshakeTimeout returns the smallest of the limits that may concern a
// handshake, or 0 if there is none.
func (s *Server) handshakeTimeout() (least time.Duration) {
	for _, d := range [...]time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout} {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}
