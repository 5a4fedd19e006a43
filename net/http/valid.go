package http

import (
	"net/http"
	"net/textproto"
	"strings"
)

// The rules for headers that the standard library's server checks above
// http.ReadRequest.

const (
	alnum      = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	tokenBytes = alnum + "!#$%&'*+-.^_`|~"     // RFC 9110, section 5.6.2
	hostBytes  = alnum + "!$%&'()*+,-.:;=[]_~" // of RFC 3986, section 3.2.2, all that occur in any form
)

type byteSet [256]bool

func setOf(s string) (set byteSet) {
	for _, b := range []byte(s) {
		set[b] = true
	}
	return set
}

var tokens, hosts = setOf(tokenBytes), setOf(hostBytes)

func (set *byteSet) has(s string) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

func validName(s string) bool { return s != "" && tokens.has(s) }

// validValue reports whether s has no control characters but tabs.
func validValue(s string) bool {
	for i := range len(s) {
		if b := s[i]; b < ' ' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// hasToken reports whether a list of tokens has one, in any case.
func hasToken(list, token string) bool {
	for t := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		if strings.EqualFold(t, token) {
			return true
		}
	}
	return false
}

// first returns the first value of a header's canonical key.
func first(h http.Header, key string) string {
	if v := h[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// validTrailer reports whether a trailer may have the key: RFC 9110, section
// 6.5.1.
func validTrailer(key string) bool {
	switch key {
	case "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
		"Expect", "Host", "Keep-Alive", "Max-Forwards", "Pragma", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Range", "Realm", "Te", "Trailer", "Transfer-Encoding", "Www-Authenticate":
		return false
	}
	return !strings.HasPrefix(key, "If-")
}

// elements yields the elements of a comma-separated list that are not empty.
func elements(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for e := range strings.SplitSeq(list, ",") {
			if e = textproto.TrimString(e); e != "" && !yield(e) {
				return
			}
		}
	}
}

// mayHaveBody reports whether a response with this status may have a body.
func mayHaveBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
