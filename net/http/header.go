package http

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/eddyio/eddy/reactor"
)

// framing are the headers that say where a body ends.
var framing = map[string]bool{"Content-Length": true, "Transfer-Encoding": true}

// fixed are the headers that the server adds to the handler's. An empty one is
// not sent.
type fixed struct {
	date, length, contentType, connection, encoding string
}

func (w *response) statusLine(code int) {
	out := w.c.out
	if w.req.ProtoAtLeast(1, 1) {
		out.WriteString("HTTP/1.1 ")
	} else {
		out.WriteString("HTTP/1.0 ")
	}
	out.WriteString(strconv.Itoa(code))
	if text := http.StatusText(code); text != "" {
		out.WriteString(" " + text + "\r\n")
	} else {
		out.WriteString(" status code " + strconv.Itoa(code) + "\r\n")
	}
}

// A head is a response's header while it is decided.
type head struct {
	*response
	all     http.Header // the handler's
	without map[string]bool
	add     fixed
}

func (h *head) get(key string) string { return first(h.all, key) }

func (h *head) drop(key string) {
	if _, ok := h.all[key]; !ok {
		return
	}
	if h.without == nil {
		h.without = make(map[string]bool)
	}
	h.without[key] = true
}

func (h *head) has(key string) bool {
	_, ok := h.all[key]
	return ok && !h.without[key]
}

// sendHeader decides how the body is framed and what becomes of the connection,
// and sends the header. p is the first part of the body.
func (w *response) sendHeader(p []byte) {
	w.sent = true
	h := head{response: w, all: w.snapshot}
	if h.all == nil {
		h.all = w.header
	}
	trailers := h.takeTrailers()
	encoding := h.get("Transfer-Encoding")
	isHead := w.req.Method == http.MethodHead
	if w.over && !trailers && encoding == "" && mayHaveBody(w.status) && !h.has("Content-Length") && (!isHead || len(p) > 0) {
		w.length = int64(len(p))
		h.add.length = strconv.Itoa(len(p))
	}
	h.decideEnd(isHead)
	h.drainRequest()
	h.describe(p, encoding)
	h.frame(isHead, encoding)
	if !w.req.ProtoAtLeast(1, 0) {
		return
	}
	keeps := w.c.server.keepsAlive(w.c.ctx)
	if w.closes && (!keeps || !hasToken(first(w.snapshot, "Connection"), "close")) && !h.switches() {
		h.drop("Connection")
		if w.req.ProtoAtLeast(1, 1) {
			h.add.connection = "close"
		}
	}
	h.write()
}

// takeTrailers notes the trailers that the handler has declared, and reports
// whether there are any.
func (h *head) takeTrailers() (has bool) {
	for k := range h.snapshot {
		if strings.HasPrefix(k, http.TrailerPrefix) {
			h.drop(k)
			has = true
		}
	}
	for _, list := range h.snapshot["Trailer"] {
		has = true
		for key := range elements(list) {
			if key = textproto.CanonicalMIMEHeaderKey(key); validTrailer(key) {
				h.trailers = append(h.trailers, key)
			}
		}
	}
	return has
}

// decideEnd decides whether the connection ends with this response.
func (h *head) decideEnd(isHead bool) {
	w := h.response
	keeps := w.c.server.keepsAlive(w.c.ctx)
	if w.keeps10 && keeps && h.get("Content-Length") != "" && h.get("Connection") == "keep-alive" {
		w.closes = false
	}
	if w.keeps10 && (isHead || w.length != -1 || !mayHaveBody(w.status)) {
		if _, set := h.all["Connection"]; !set {
			h.add.connection = "keep-alive"
		}
	} else if !w.req.ProtoAtLeast(1, 1) || w.wantsClose {
		w.closes = true
	}
	if h.get("Connection") == "close" || !keeps {
		w.closes = true
	}
	if w.expected && !w.body.wasRead() {
		w.closes = true
	}
}

// drainRequest reads the rest of the request, or makes the connection end.
func (h *head) drainRequest() {
	w := h.response
	if w.body == nil || w.closes || w.fullDuplex || w.expected {
		return
	}
	switch w.body.drain() {
	case ends:
		w.closes = true
	case tooLong:
		w.closes = true
		h.drop("Connection")
		h.add.connection = "close"
	}
}

// describe adds the type of the body and the date.
func (h *head) describe(p []byte, encoding string) {
	switch {
	case h.status == http.StatusNotModified:
		h.drop("Content-Type")
		h.drop("Content-Length")
		h.drop("Transfer-Encoding")
	case !mayHaveBody(h.status):
		h.drop("Content-Length")
		h.drop("Transfer-Encoding")
	default:
		_, typed := h.all["Content-Type"]
		if !typed && encoding == "" && len(p) > 0 && h.all.Get("Content-Encoding") == "" {
			h.add.contentType = http.DetectContentType(p)
		}
	}
	if _, dated := h.all["Date"]; !dated {
		h.add.date = reactor.Now(h.c.ctx).UTC().Format(http.TimeFormat)
	}
}

// frame decides how the client finds the end of the body.
func (h *head) frame(isHead bool, encoding string) {
	w := h.response
	sized := w.length != -1
	if sized && encoding != "" && encoding != "identity" {
		w.mistake("WriteHeader called with both Transfer-Encoding and Content-Length")
		h.drop("Content-Length")
		sized = false
	}
	switch {
	case isHead || !mayHaveBody(w.status) || sized:
		h.drop("Transfer-Encoding")
	case !w.req.ProtoAtLeast(1, 1) || encoding == "identity":
		w.closes = true
		h.drop("Transfer-Encoding")
	default:
		w.chunked = true
		h.add.encoding = "chunked"
		if encoding == "chunked" {
			h.drop("Transfer-Encoding")
		}
		h.drop("Content-Length")
	}
}

// switches reports whether the response changes the connection's protocol.
func (h *head) switches() bool {
	if h.status != http.StatusSwitchingProtocols || h.all.Get("Upgrade") == "" {
		return false
	}
	for _, v := range h.all["Connection"] {
		if hasToken(v, "Upgrade") {
			return true
		}
	}
	return false
}

func (h *head) write() {
	h.statusLine(h.status)
	h.snapshot.WriteSubset(h.c.out, h.without)
	for _, f := range [...]struct{ key, value string }{
		{"Date: ", h.add.date}, {"Content-Length: ", h.add.length}, {"Content-Type: ", h.add.contentType},
		{"Connection: ", h.add.connection}, {"Transfer-Encoding: ", h.add.encoding},
	} {
		if f.value != "" {
			h.c.out.WriteString(f.key)
			h.c.out.WriteString(f.value)
			h.c.out.WriteString("\r\n")
		}
	}
	h.c.out.WriteString("\r\n")
}

// finalTrailers returns the trailers that the handler has set, or nil.
func (w *response) finalTrailers() (t http.Header) {
	add := func(key string, values []string) {
		if t == nil {
			t = make(http.Header)
		}
		t[key] = append(t[key], values...)
	}
	for k, values := range w.header {
		if key, ok := strings.CutPrefix(k, http.TrailerPrefix); ok {
			add(key, values)
		}
	}
	for _, k := range w.trailers {
		add(k, w.header[k])
	}
	return t
}
