// Package poll answers: how do tasks, and goroutines beside them, read, write
// and accept on a descriptor? It is for authors of socket types, as
// internal/poll is in the standard library. Package net has the types of
// sockets and their errors.
//
// An [FD] has two sides. A task or callback of the FD's loop waits with the
// loop's poller; it must never wait for a goroutine. Any other goroutine waits
// with Go's own poller, where the first one registers the descriptor; it needs
// no turn of the loop. Each method determines once which side is calling.
//
// Write locking, deadlines and Close apply to both sides. A goroutine waits for
// the loop only while it waits for a task's unfinished Write.
//
// The descriptor belongs to the loop until goroutines use it, and then to both:
// it is closed when both have released it. If one side closes it, the
// connection is cut at once (see cut), so that the peer notices, but the number
// stays in use until the other side has released it too.
//
// If the socket calls are not the system's own (reactor's Options.Sockets)
// there is only one side: a task of the loop makes a goroutine's calls. A
// simulation refuses them.
package poll
