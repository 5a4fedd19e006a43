package core

import (
	"syscall"
	"time"
)

// InBubble reports whether the caller's clock is not the system's. A bubble's begins
// with the year 2000, and there is no other sign of one.
func InBubble() bool {
	const apart = time.Hour
	for range 2 { // for the system's might be set in this very moment
		var tv syscall.Timeval
		if syscall.Gettimeofday(&tv) != nil || time.Since(time.Unix(tv.Unix())).Abs() < apart {
			return false
		}
	}
	return true
}
