//go:build !purego && !coro_nested

package core

// threadID identifies the calling thread by the address of its thread-specific
// data. The loop is locked to its thread, so code that runs there runs on the
// loop's behalf.
//
// Only libSystem has the id itself, by a function that golang.org/x/sys lacks.
// The address is in the register where libSystem keeps it (tsd_private.h in
// Apple's libpthread); the Go runtime finds its own thread-local storage by it
// (runtime/tls_arm64.h).
func threadID() uint64
