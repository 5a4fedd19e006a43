// Package load loads an echo server. It uses one thread, its own epoll and no
// goroutines, so that it can send more than any server on another processor can
// answer; and it reports when it could not.
//
// It spins rather than sleeps. A sleeping client would be woken by the server's
// write, at the cost of the server's CPU time, which a client on another
// machine does not cause. Instead it measures how much of its time it was idle.
// It discards received data without copying it (MSG_TRUNC, see tcp(7)), after
// checking each connection once at the beginning.
//
// It drives a server in one of two ways. Closed: each connection sends a burst
// of messages, and the next one when all of it has come back; that measures the
// server's maximum rate. Paced: messages are sent at a rate, whether or not
// earlier ones have come back, and a message's latency counts from when it was
// due. A generator that waited, or counted from when it sent a message, would
// omit exactly the messages that a stall of the server delays ("coordinated
// omission").
package load
