package core

import (
	"syscall"
	"time"
)

// InBubble reports whether the caller is in a testing/synctest bubble. There is
// no API for that; but a bubble's clock begins in the year 2000.
func InBubble() bool {
	const apart = time.Hour
	for range 2 { // because the system's might be set at this moment
		var tv syscall.Timeval
		if syscall.Gettimeofday(&tv) != nil || time.Since(time.Unix(tv.Unix())).Abs() < apart {
			return false
		}
	}
	return true
}
