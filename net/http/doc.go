// Package http answers: how does a task serve HTTP requests? A [Server] calls a
// standard [http.Handler] in a task for each HTTP/1.x request, so a handler, and
// the routers and middleware in front of it, may await anything that tasks can:
//
//	ln, err := net.Listen(ctx, "tcp", ":8080")
//	if err != nil {
//		return err
//	}
//	return (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(ctx, ln)
//
// Requests, responses and their rules are those of the standard library's
// server, which gives the same bytes for the same input; r.Context() is that of
// the request's task, and ends when the client leaves.
//
// # What differs from net/http
//
// A handler must not block its goroutine, because that is the loop's thread. So
// http.TimeoutHandler and others that wait on a channel for a goroutine don't
// work: use [reactor.Timeout] in the handler.
//
// A ResponseWriter is for tasks of the loop: a goroutine gives what it has to one
// of them. A request's body may be read from anywhere.
//
// The base context is the ctx of [Server.Serve]. The handler's tasks are its
// children, and so are those of a handler that has hijacked its connection:
// when the server stops they have the grace time, too.
//
// A ResponseWriter is no http.CloseNotifier, which is deprecated: r.Context() ends
// instead.
//
// After an http.MaxBytesReader has hit its limit, the connection is closed only
// if the rest of the body is longer than 256 KiB.
//
// # What it leaves to others
//
// Package net/http parses requests and encodes headers. Package net accepts
// connections, limits and counts them; net/tls encrypts them. There is no HTTP/2:
// a TLS listener must not offer "h2".
package http
