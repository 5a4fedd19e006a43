// Package net answers: what does a socket do when it is read, written, accepted
// from, connected and closed? It is the standard library's net for code that
// runs on a reactor: types, methods and errors have the same names and behave
// the same, but a call that has to wait suspends the calling task, not its
// thread.
//
//	err := reactor.Run(ctx, func(ctx context.Context) error {
//		ln, err := net.Listen(ctx, "tcp", "127.0.0.1:7000")
//		if err != nil {
//			return err
//		}
//		return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
//			_, err := io.Copy(c, c)
//			return err
//		})
//	})
//
// # From which goroutine
//
// [Listen], [Dial] and [Serve] take a ctx that belongs to a loop. The methods
// of connections and listeners may be called from anywhere. They suspend a
// running task. They block any other goroutine, and then use Go's own poller,
// without needing a turn of the loop. So code that is not written for eddy and
// starts its own goroutines can use a [Conn] too, even if a task waits for such
// a goroutine on a channel. Deadlines and Close apply to both sides, and their
// writes are not interleaved: a goroutine's Write waits for a task's Write in
// progress.
//
// At the loop's end, listeners and connections that a task has used are closed;
// then every method returns [ErrClosed]. The loop does not close connections
// that a goroutine has accepted, dialled or made from a file and no task has
// used.
//
// If the loop has other socket calls than the system's (reactor's
// Options.Sockets), a goroutine's call is done on the loop, and a simulation
// refuses it.
//
// All this also holds in a testing/synctest bubble, for a conn whose loop is
// outside. As with std's net, a goroutine that waits for a conn is not durably
// blocked, so the bubble's clock stands still meanwhile. A task's ctx, and
// contexts derived from it, must not be used in a bubble. For virtual time
// there is package reactortest.
//
// Methods take no ctx. In a task they obey, besides the deadlines of the
// connection, the task's innermost scope: the task's own, a reactor.Timeout's
// or a reactor.Group's. When that is done they return its error, in an
// [OpError].
//
// # What it leaves to others
//
// The standard library resolves names, on a goroutine off the loop. Package
// reactor waits for file descriptors.
package net
