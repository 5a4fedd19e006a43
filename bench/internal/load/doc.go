// Package load loads an echo server: one thread, an epoll of its own, and no
// goroutines, so that a processor drives more than any server on another can
// answer; and it says so when it could not.
//
// It spins rather than sleeps. A client that sleeps has to be woken by the
// server's write, which then pays for it out of its own CPU time, as it would
// not for a client on another machine. How much of its time it had nothing to do
// is counted instead. And it throws away what comes back without copying it
// (MSG_TRUNC, see tcp(7)), having checked each connection once at the beginning.
//
// It drives a server in one of two ways. Closed: each connection sends a burst
// of messages, and the next when all of it has come back; that finds how much the
// server can do. Paced: messages are sent at a rate, whether or not earlier ones
// have come back, and a message's time runs from when it was due. A generator
// that waited, or began to count when it came to sending, would leave out just
// those messages that a stall of the server's held up ("coordinated omission").
package load
