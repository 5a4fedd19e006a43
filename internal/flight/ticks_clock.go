//go:build purego || !(amd64 || arm64)

package flight

import "time"

var start = time.Now()

// Ticks returns the nanoseconds since the program's start. It costs some 30 ns; where
// eddy has a few lines of assembly for the processor it costs a few.
func Ticks() int64 { return int64(time.Since(start)) }
