package inspect

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guarded answers requests that a program or a page of this handler's own makes, and
// refuses those that other sites' pages make in a browser which can reach it: a name that
// such a site has pointed at this machine is not let in as a Host (DNS rebinding), and a
// request that a page of another origin makes is refused by its Origin.
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

// isHere reports whether a request's Host is one that no other site can have: an
// address, or localhost, or none, as of a request that comes by a Unix socket.
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

// socketHost is the Host of requests by a Unix socket, which is no name of a site.
const socketHost = "eddy"

// isForeign reports whether a page of another origin than the request's own makes it.
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
