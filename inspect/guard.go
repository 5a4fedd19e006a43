package inspect

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guarded answers requests of programs and of this handler's own page, and
// refuses those of other sites' pages in a browser: a Host that is a name,
// which such a site may have pointed at this machine (DNS rebinding), and an
// Origin other than the request's own.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET is answered", http.StatusMethodNotAllowed)
		case !isHere(r.Host):
			http.Error(w, "ask for it by an address or as localhost, not by a name", http.StatusForbidden)
		case isForeign(r):
			http.Error(w, "pages of other sites are not answered", http.StatusForbidden)
		default:
			head := w.Header()
			head.Set("X-Content-Type-Options", "nosniff")
			head.Set("X-Frame-Options", "DENY")
			head.Set("Referrer-Policy", "no-referrer")
			head.Set("Cache-Control", "no-store")
			head.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.ServeHTTP(w, r)
		}
	})
}

// isHere reports whether a request's Host is one that no other site can have:
// an address, localhost, or that of requests by a Unix socket.
func isHere(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" || strings.EqualFold(host, "localhost") || host == socketHost {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

// socketHost is the Host of requests by a Unix socket. It is not the name of a
// site.
const socketHost = "eddy"

// isForeign reports whether a page of another origin has made the request.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}
