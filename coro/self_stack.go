//go:build purego || !(amd64 || arm64 || 386)

package coro

import (
	"runtime"
	"sync"
)

// Self returns the identity of the calling goroutine: its number, as a stack
// trace prints it. It is unique for the life of the process. It may be called
// from any goroutine and costs one or two microseconds, against 2 ns on
// processors for which eddy has a few lines of assembly.
func Self() uintptr {
	// "goroutine 18 [running]:"
	buf := headers.Get().(*[64]byte)
	defer headers.Put(buf)
	n := runtime.Stack(buf[:], false)
	var id uintptr
	for _, c := range buf[len("goroutine "):n] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uintptr(c-'0')
	}
	return id
}

var headers = sync.Pool{New: func() any { return new([64]byte) }}
