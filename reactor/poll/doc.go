// Package poll asks how a task reads, writes and accepts on a descriptor, and a
// goroutine beside it. It is for authors of socket types, as internal/poll is for
// the standard library's; which sockets there are, and what their errors look like, it
// leaves to package net.
//
// An [FD] has two sides. A task, or a callback, of the FD's loop waits by the loop's
// poller; it must never wait for a goroutine. Any other goroutine waits by Go's own
// poller, with which the descriptor is registered when the first one comes; it needs
// no turn of the loop. Each method asks once which of the two is calling.
//
// What holds for both: writes are not interleaved, deadlines and Close. A goroutine
// that waits for a task's unfinished Write waits for the loop; nothing else does.
//
// The descriptor belongs to the loop until goroutines use it, and from then on to
// both: it is closed when both have let go of it. Closing it by one side cuts the
// connection at once, see cut, so that the peer notices, while the number stays taken
// until the other side has noticed too.
//
// Where the socket calls are not the system's own (reactor's Options.Sockets) there is
// one side: what a goroutine calls is done by a task of the loop. A simulation refuses
// it.
package poll
