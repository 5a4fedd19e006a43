// Package net answers: what does a socket do when it is read, written,
// accepted from, connected and closed? It is the standard library's net for
// code that runs on a reactor: types, methods and errors bear the same names
// and behave the same, but a call that has to wait suspends the calling task
// and not its thread.
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
// [Listen], [Dial] and [Serve] take a ctx that belongs to a loop. The methods of
// connections and listeners may be called from anywhere. The running task they
// suspend. Any other goroutine they block, and go by Go's own poller: they need no
// turn of the loop. So code that knows nothing of eddy, and starts goroutines of its
// own, can use a [Conn] too, even if a task waits for such a goroutine on a channel.
// Deadlines and Close hold for both sides, and what both write is not interleaved: a
// goroutine's Write waits for a task's that is under way.
//
// What a task has used is closed at the loop's end, and so are listeners; then every
// method returns [ErrClosed]. What a goroutine has accepted or dialled, and no task has
// used, is the goroutine's: the loop neither knows nor closes it.
//
// With socket calls that are not the system's own (reactor's Options.Sockets) a
// goroutine's call is done on the loop, and a simulation refuses it. So are the dials
// of goroutines with an address of this end, and all that makes a listener.
//
// All this holds in a bubble of testing/synctest, too, for a conn whose loop is outside:
// but as with std's net to wait for one is no durable blocking, so the bubble's
// clock stands still meanwhile. A task's ctx, and
// what derives from it, is not for use in a bubble. For virtual time there is package
// reactortest.
//
// Methods take no ctx. In a task they obey the innermost scope that it is
// in, the task's own, a reactor.Timeout's or a reactor.Group's, besides the
// deadlines of the connection: when that is done they return its error, in
// an [OpError].
//
// # What it leaves to others
//
// Names are resolved by the standard library, on a goroutine off the loop. Which
// fd is ready, and who waits for it, is package reactor's business.
package net
