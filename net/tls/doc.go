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
// A crypto/tls Conn works in a task as long as one task at a time uses it. But
// it holds a sync.Mutex while it waits for the network. A second task that
// needs that mutex, because it writes too, or because it reads and the peer
// asks for new keys, blocks the loop's thread; the first task is then never
// resumed. [Conn] makes crypto/tls encrypt into memory, which never waits, and
// waits only outside its locks. So one task may read, another write and a third
// close, as with any net.Conn. It also writes several records together, up to
// 64 KiB at a time.
//
// # Time
//
// In a simulation (package reactortest) certificates and sessions are verified
// by the simulated clock of the verifying host, unless Config.Time is set. The
// Config itself is not changed.
//
// # What it leaves to others
//
// Packages crypto/tls and crypto/x509 implement the protocol, the cryptography
// and the certificates. They run on the caller's thread: a task's handshake
// occupies the loop for about a millisecond, longer with an RSA key.
//
// The Config's functions are called by the task or goroutine that does the handshake. In
// a task they may suspend, and must not block.
//
// An http.Server runs on goroutines, and needs crypto/tls's own Conn; a
// goroutine that accepts from a [Listener] gets one. So its Serve works with a
// Listener, and its ServeTLS with a listener of package net. Call them, and
// Shutdown too, by reactor.ToThread: a task that calls them directly blocks the
// loop.
package tls
