//go:build !coro_nested

package core

import "golang.org/x/sys/unix"

// threadID identifies the calling thread: by the runtime's record of it, or else by
// its id, which takes a system call. The loop is locked to its thread, so code that runs
// there runs on the loop's behalf.
func threadID() uint64 {
	if threadsHaveRecords() {
		return uint64(threadRecord())
	}
	return uint64(unix.Gettid())
}
