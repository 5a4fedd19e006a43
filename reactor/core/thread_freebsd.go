//go:build !coro_nested

package core

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadID returns the id of the calling thread (thr_self(2)). The loop is
// locked to its thread, so code that runs there runs on the loop's behalf.
func threadID() uint64 {
	var id uintptr // a C long
	unix.RawSyscall(unix.SYS_THR_SELF, uintptr(unsafe.Pointer(&id)), 0, 0)
	return uint64(id)
}
