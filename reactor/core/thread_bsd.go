//go:build (netbsd || dragonfly) && !coro_nested

package core

import "golang.org/x/sys/unix"

// threadID returns the id of the calling thread. The loop is locked to its
// thread, so code that runs there runs on the loop's behalf.
func threadID() uint64 {
	id, _, _ := unix.RawSyscall(threadSelf, 0, 0, 0)
	return uint64(id)
}
