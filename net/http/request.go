package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A refusal is the answer to a request that the server does not accept.
type refusal struct {
	code int
	text string // of our checks; may be sent
}

func (r refusal) Error() string { return http.StatusText(r.code) + ": " + r.text }

func bad(text string) error { return refusal{http.StatusBadRequest, text} }

// readRequest reads the header of the next request, and checks what
// http.ReadRequest leaves to a server.
func (c *conn) readRequest(ctx context.Context) (*http.Request, error) {
	start := reactor.Now(ctx)
	c.allowance = c.server.maxHeader()
	if c.lastMethod == "" { // the first bytes have been waited for
		c.allowance -= int64(c.in.Buffered())
	}
	if c.lastMethod == http.MethodPost {
		c.skipNewlines()
	}
	c.record()
	r, err := http.ReadRequest(c.in)
	raw := c.recorded()
	if err != nil {
		if c.allowance <= 0 {
			err = refusal{http.StatusRequestHeaderFieldsTooLarge, ""}
		}
		return nil, err
	}
	if err := c.check(r, raw); err != nil {
		return nil, err
	}
	c.lastMethod = r.Method
	c.allowance = unlimited
	if d := c.server.WriteTimeout; d > 0 {
		c.rwc.SetWriteDeadline(reactor.Now(ctx).Add(d))
	}
	var until time.Time
	if d := c.server.ReadTimeout; d > 0 {
		until = start.Add(d)
	}
	c.rwc.SetReadDeadline(until)
	r.RemoteAddr, r.TLS = c.remote, c.tls
	return r, nil
}

// skipNewlines tolerates clients that send a newline after a body (RFC 9112,
// section 2.2).
func (c *conn) skipNewlines() {
	p, _ := c.in.Peek(4)
	c.in.Discard(len(p) - len(bytes.TrimLeft(p, "\r\n")))
}

// check checks a request whose header is raw.
func (c *conn) check(r *http.Request, raw []byte) error {
	isPreface := r.ProtoMajor == 2 && r.ProtoMinor == 0 && r.Method == "PRI" && r.RequestURI == "*"
	if r.ProtoMajor != 1 && !isPreface {
		return refusal{http.StatusHTTPVersionNotSupported, "unsupported protocol version"}
	}
	host, has := r.Host, true
	if r.URL.Host != "" || host == "" {
		host, has = hostOf(raw)
	}
	if !has && r.ProtoAtLeast(1, 1) && r.Method != http.MethodConnect && !isUpgrade(r) {
		return bad("missing required Host header")
	}
	if !hosts.has(host) {
		return bad("malformed Host header")
	}
	for k, values := range r.Header {
		if !validName(k) {
			return bad("invalid header name")
		}
		for _, v := range values {
			if !validValue(v) {
				return bad("invalid header value")
			}
		}
	}
	if c.server.Strict {
		return checkStrictly(raw)
	}
	return nil
}

// isUpgrade reports whether r is the preface of HTTP/2, which a handler that
// knows it may hijack.
func isUpgrade(r *http.Request) bool {
	return r.Method == "PRI" && len(r.Header) == 0 && r.URL.Path == "*" && r.Proto == "HTTP/2.0"
}

// fields yields the lines of a header after the first one. A folded line counts
// as one of its own.
func fields(raw []byte) func(yield func(line string) bool) {
	return func(yield func(line string) bool) {
		_, rest, _ := bytes.Cut(raw, []byte("\n"))
		for line := range bytes.Lines(rest) {
			if !yield(string(bytes.TrimRight(line, "\r\n"))) {
				return
			}
		}
	}
}

// hostOf returns the value of the header Host, and reports whether there is one.
// http.ReadRequest refuses a second one, but keeps neither.
func hostOf(raw []byte) (host string, has bool) {
	inHost := false
	for line := range fields(raw) {
		if folded := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"); folded {
			if inHost {
				host += " " + strings.Trim(line, " \t")
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if inHost = strings.EqualFold(name, "Host"); inHost {
			host, has = strings.Trim(value, " \t"), true
		}
	}
	return strings.Trim(host, " \t"), has
}

// checkStrictly refuses what another reader of the same bytes may understand
// differently: RFC 9112, sections 2.2, 5.2 and 6.1.
func checkStrictly(raw []byte) error {
	if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) || bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
		return bad("a line does not end in CR LF")
	}
	var length, encoding bool
	for line := range fields(raw) {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			return bad("folded header line")
		}
		name, _, _ := strings.Cut(line, ":")
		length = length || strings.EqualFold(name, "Content-Length")
		encoding = encoding || strings.EqualFold(name, "Transfer-Encoding")
	}
	if length && encoding {
		return bad("both Content-Length and Transfer-Encoding")
	}
	return nil
}

// refuse answers a request that can't be read. It reports whether the answer
// must be waited for before the connection is closed.
func (c *conn) refuse(err error) (linger bool) {
	const headers = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	status, body := "400 Bad Request", ""
	if r, ok := errors.AsType[refusal](err); ok {
		status = fmt.Sprintf("%d %s", r.code, http.StatusText(r.code))
		linger = r.code == http.StatusRequestHeaderFieldsTooLarge
		if r.text != "" {
			status += ": " + r.text
		}
	} else if fmt.Sprintf("%T", err) == unsupportedEncoding {
		status, body = "501 Not Implemented", "Unsupported transfer encoding"
	} else if isReadError(err) {
		return false
	}
	if body == "" {
		body = status
	}
	fmt.Fprint(c, "HTTP/1.1 ", status, headers, body)
	return linger
}

// unsupportedEncoding is the type of the error by which http.ReadRequest
// reports that it does not know a transfer encoding.
const unsupportedEncoding = "*http.unsupportedTEError"
