//go:build !purego && (amd64 || arm64)

package flight

// Ticks returns the processor's counter, which goes at a constant rate: the time stamp
// counter, or the virtual counter of arm64. It costs a few nanoseconds. Counters of two
// processors may differ a little.
func Ticks() int64
