package inspect

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Handler returns a handler of these paths, below the place where it is mounted:
//
//	/         the page, for browsers; it asks for /json again and again
//	/json     a Snapshot
//	/pstree   the tree of tasks, as text, with what each waits for
//	/ps       a line for each task
//	/text     all that there is to say, as text
//	/metrics  metrics of the loops, for Prometheus
//	/stack    the stack of what keeps a loop that stands, as text: ?loop=1
//	/trace    what happened in the last seconds, for https://ui.perfetto.dev: ?seconds=5;
//	          if a loop does not record (see reactor.Options.Record), in those to come
//
// Requests by names other than localhost, and by other sites' pages, are refused: see
// the package's comment. It may be used by any number of goroutines. To mount it below a
// path, strip that:
//
//	http.Handle("/debug/eddy/", http.StripPrefix("/debug/eddy", inspect.Handler()))
func Handler() http.Handler {
	mux := http.NewServeMux()
	for path, h := range routes {
		mux.HandleFunc(path, h)
	}
	return guarded(rooted(mux))
}

// routes are the paths of a Handler.
var routes = map[string]http.HandlerFunc{
	"/json":    serveJSON,
	"/pstree":  serveText(writeTree),
	"/ps":      serveText(writeList),
	"/text":    serveText(writeAll),
	"/stack":   serveStack,
	"/metrics": serveMetrics,
	"/trace":   serveTrace,
	"/{$}":     servePage,
}

// rooted makes paths begin with a slash after a prefix was stripped off.
func rooted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/") {
			r2 := *r
			u := *r.URL
			u.Path, u.RawPath = "/"+u.Path, ""
			r2.URL = &u
			r = &r2
		}
		h.ServeHTTP(w, r)
	})
}

func serveJSON(w http.ResponseWriter, r *http.Request) {
	s := Take(r.Context())
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(s)
}

// serveText serves the text that write writes for a Snapshot.
func serveText(write func(io.Writer, *Snapshot)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := Take(r.Context())
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		write(w, s)
	}
}

// serveStack serves the stack of the step that blocks a loop.
func serveStack(w http.ResponseWriter, r *http.Request) {
	s := Take(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeStack(w, s, r.FormValue("loop"), r.FormValue("task"))
}

// plain escapes an untrusted text so that it stays on its line and does not
// control a terminal.
func plain(s string) string {
	clean := true
	for _, c := range s {
		if hidden(c) {
			clean = false
			break
		}
	}
	if clean && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if hidden(c) {
			c = utf8.RuneError
		}
		b.WriteRune(c)
	}
	return b.String()
}
