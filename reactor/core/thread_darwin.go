//go:build !purego && !coro_nested

package core

// threadID identifies the calling thread by the address of its thread-specific
// data. The loop is locked to its thread, so whoever runs there runs on the loop's
// behalf.
//
// The id itself is to be had from libSystem alone, by a function that
// golang.org/x/sys does not have; the address is where the processor keeps it for
// libSystem (tsd_private.h in Apple's libpthread), and for the Go runtime, which
// finds its own thread-local storage there (runtime/tls_arm64.h).
func threadID() uint64
