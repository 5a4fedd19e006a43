package http

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/eddyio/eddy/net"
)

// A response is the http.ResponseWriter of a request. What a handler writes goes
// through w.buffer to w.send, which adds the header and the chunks' lines, and
// from there by the conn's buffer to the connection.
type response struct {
	c    *conn
	req  *http.Request
	body *body // nil if the request has none

	header   http.Header
	given    bool        // the handler has asked for the header
	snapshot http.Header // as WriteHeader found it; nil if it is header itself

	buffer  *bufio.Writer
	status  int   // 0 until WriteHeader
	length  int64 // -1 if not declared
	written int64 // by the handler

	sent        bool // the header
	chunked     bool
	trailers    []string
	over        bool // the handler has returned
	fullDuplex  bool
	closes      bool // the connection, after this response
	keeps10     bool // the client speaks HTTP/1.0 and wants to keep the connection
	wantsClose  bool
	expected    bool // the client waits for 100 Continue
	mayContinue bool // it has not been sent, and may be
}

// bodyBuffer is how much of a body, in bytes, is held before it is chunked. It
// is the standard library's.
const bodyBuffer = 2 << 10

var bodyBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, bodyBuffer) }}

func newResponse(c *conn, from *http.Request, ctx context.Context) *response {
	w := &response{c: c, header: make(http.Header), length: -1}
	w.req = from.WithContext(ctx)
	connection := first(from.Header, "Connection")
	w.keeps10 = from.ProtoMajor == 1 && from.ProtoMinor == 0 && hasToken(connection, "keep-alive")
	w.wantsClose = from.Close || hasToken(connection, "close")
	w.closes = isUpgrade(from)
	if from.Body != nil && from.Body != http.NoBody {
		w.body = &body{c: c, w: w, inner: from.Body, from: from, rest: from.ContentLength}
		w.req.Body = w.body
	}
	w.buffer = bodyBuffers.Get().(*bufio.Writer)
	w.buffer.Reset(sender{w})
	return w
}

func (w *response) Header() http.Header {
	if w.snapshot == nil && w.status != 0 && !w.sent {
		w.snapshot = w.header.Clone()
	}
	w.given = true
	return w.header
}

// sendContinue tells the client to send the body, if it waits for that.
func (w *response) sendContinue() {
	if w.mayContinue {
		w.mayContinue = false
		w.c.out.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
		w.c.out.Flush()
	}
}

func (w *response) WriteHeader(code int) {
	switch {
	case w.c.hijacked:
		w.mistake("WriteHeader on a hijacked connection")
		return
	case w.status != 0:
		w.mistake("superfluous WriteHeader call")
		return
	case code < 100 || code > 999:
		panic("http: invalid WriteHeader code " + strconv.Itoa(code))
	}
	if code < 101 || code > 199 {
		w.mayContinue = false
	}
	if code <= 199 && code != http.StatusSwitchingProtocols {
		w.statusLine(code)
		w.header.WriteSubset(w.c.out, framing)
		w.c.out.WriteString("\r\n")
		w.c.out.Flush()
		return
	}
	w.status = code
	if w.given && w.snapshot == nil {
		w.snapshot = w.header.Clone()
	}
	if text := first(w.header, "Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			w.mistake("invalid Content-Length of " + strconv.Quote(text))
			w.header.Del("Content-Length")
			return
		}
		w.length = n
	}
}

func (w *response) mistake(text string) {
	w.c.server.report(w.c.ctx, slog.LevelWarn, text, "peer", w.c.remote)
}

func (w *response) Write(p []byte) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	return w.buffer.Write(p)
}

func (w *response) WriteString(s string) (int, error) {
	if err := w.admit(len(s)); err != nil || len(s) == 0 {
		return 0, err
	}
	return w.buffer.WriteString(s)
}

// admit begins a write of n bytes.
func (w *response) admit(n int) error {
	if w.c.hijacked {
		if n > 0 {
			w.mistake("Write on a hijacked connection")
		}
		return http.ErrHijacked
	}
	w.mayContinue = false
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case n == 0:
		return nil
	case !mayHaveBody(w.status):
		return http.ErrBodyNotAllowed
	}
	if w.written += int64(n); w.length != -1 && w.written > w.length {
		return http.ErrContentLength
	}
	return nil
}

// A sender sends parts of a response's body.
type sender struct{ w *response }

func (s sender) Write(p []byte) (n int, err error) {
	w := s.w
	if !w.sent {
		w.sendHeader(p)
	}
	if w.req.Method == http.MethodHead {
		return len(p), nil
	}
	if w.chunked {
		var line [18]byte
		w.c.out.Write(append(strconv.AppendInt(line[:0], int64(len(p)), 16), '\r', '\n'))
	}
	n, err = w.c.out.Write(p)
	if w.chunked && err == nil {
		_, err = w.c.out.WriteString("\r\n")
	}
	if err != nil {
		w.c.rwc.Close()
	}
	return n, err
}

// sniffed is how much of a body http.DetectContentType looks at.
const sniffed = 512

// ReadFrom copies from src by the connection's ReadFrom, which uses sendfile for
// a file, if the response is not chunked.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	direct, ok := w.c.rwc.(io.ReaderFrom)
	if !ok || w.c.hijacked {
		return io.Copy(writerOnly{w}, src)
	}
	if !w.sent {
		n, err = io.Copy(writerOnly{w}, io.LimitReader(src, sniffed))
		if err != nil || n < sniffed {
			return n, err
		}
	}
	w.FlushError()
	if w.chunked || !mayHaveBody(w.status) || w.req.Method == http.MethodHead {
		m, err := io.Copy(writerOnly{w}, src)
		return n + m, err
	}
	m, err := direct.ReadFrom(src)
	w.written += m
	return n + m, err
}

// writerOnly hides ReadFrom.
type writerOnly struct{ io.Writer }

func (w *response) Flush() { w.FlushError() }

func (w *response) FlushError() error {
	if w.c.hijacked {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	err := w.buffer.Flush()
	if !w.sent {
		w.sendHeader(nil)
	}
	if e := w.c.out.Flush(); err == nil {
		err = e
	}
	return err
}

func (w *response) SetReadDeadline(t time.Time) error  { return w.c.rwc.SetReadDeadline(t) }
func (w *response) SetWriteDeadline(t time.Time) error { return w.c.rwc.SetWriteDeadline(t) }

func (w *response) EnableFullDuplex() error {
	w.fullDuplex = true
	return nil
}

// Hijack lets the handler take over the connection.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.over {
		panic("http: Hijack called after the handler has returned")
	}
	c := w.c
	if c.hijacked {
		return nil, nil, http.ErrHijacked
	}
	w.mayContinue = false
	if w.status != 0 {
		if !w.sent {
			w.sendHeader(nil)
		}
		c.out.Flush()
	}
	c.unwatch()
	c.hijacked = true
	c.rwc.SetDeadline(time.Time{})
	rest, _ := c.in.Peek(c.in.Buffered())
	in := bufio.NewReaderSize(&prefixed{append([]byte(nil), rest...), c.rwc}, max(len(rest), 4<<10))
	if len(rest) > 0 {
		in.Peek(len(rest))
	}
	w.freeBuffer()
	c.setState(http.StateHijacked)
	return c.rwc, bufio.NewReadWriter(in, bufio.NewWriterSize(c.rwc, 4<<10)), nil
}

// prefixed reads bytes and then from a connection.
type prefixed struct {
	first []byte
	then  net.Conn
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.then.Read(b)
}

func (w *response) freeBuffer() {
	w.buffer.Reset(nil)
	bodyBuffers.Put(w.buffer)
	w.buffer = nil
}

// finish completes the response after its handler has returned.
func (w *response) finish() {
	w.over = true
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.buffer.Flush()
	w.freeBuffer()
	if !w.sent {
		w.sendHeader(nil)
	}
	if w.chunked {
		w.c.out.WriteString("0\r\n")
		if t := w.finalTrailers(); t != nil {
			t.Write(w.c.out)
		}
		w.c.out.WriteString("\r\n")
	}
	w.c.out.Flush()
	if w.body != nil {
		w.body.Close()
	}
	if w.req.MultipartForm != nil {
		w.req.MultipartForm.RemoveAll()
	}
}

// mayGoOn reports whether another request may follow this response.
func (w *response) mayGoOn() bool {
	switch {
	case w.closes, w.c.failed != nil:
		return false
	case w.req.Method != http.MethodHead && w.length != -1 && mayHaveBody(w.status) && w.length != w.written:
		return false
	}
	return w.body == nil || w.expected || !w.body.unread()
}
