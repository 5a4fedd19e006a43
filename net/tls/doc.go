// Package tls answers: how do tasks talk over TLS? It is the standard library's
// crypto/tls over the connections of package net, with the same names, ctx
// first: one line dials or listens, and a handler reads and writes plain text.
//
//	ln, err := tls.Listen(ctx, "tcp", ":443", &tls.Config{Certificates: ...})
//	if err != nil {
//		return err
//	}
//	return net.Serve(ctx, ln, handle)
//
// # Why a Conn of its own
//
// A crypto/tls Conn works in a task as long as one task at a time uses it. It
// holds a sync.Mutex while it waits for the network, though, and a second task
// that runs into that mutex, because it writes too, or because the peer asks a
// reader for new keys while a writer waits for room, stops the loop's thread; the
// first one is then never resumed. [Conn] has crypto/tls encrypt into memory,
// which waits for nothing, and does all waiting outside of its locks. So one
// task may read, another write and a third close, as with any net.Conn. Records
// go out together besides, up to 64 KiB in a write.
//
// # Time
//
// In a simulation (package reactortest) certificates and sessions are judged by the
// simulated clock of the host that looks at them, unless Config.Time is set. The
// Config itself is not changed.
//
// # What it leaves to others
//
// The protocol, the cryptography and the certificates are crypto/tls and
// crypto/x509, which run on the thread of the caller: a task's handshake keeps the
// loop's for something like a millisecond, most of all with an RSA key. What to speak over the connection
// is the caller's business.
//
// The Config's functions are called by the task or goroutine that does the handshake. In
// a task they may suspend, and must not block.
//
// An http.Server runs on goroutines, and looks for crypto/tls's own Conn, which is
// what a goroutine that accepts from a [Listener] gets. So its Serve works with a
// Listener, and its ServeTLS with a listener of package net. Call them, and
// Shutdown too, by reactor.ToThread: a task that calls them itself stops the loop.
package tls
