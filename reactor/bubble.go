package reactor

import (
	"errors"
	"syscall"
	"time"
)

// ErrBubble is returned by a Run in a bubble of testing/synctest, unless its
// [Options] have a Clock: the bubble's clock would stand still for as long as the
// loop waits for the kernel, and no timer would ever fire.
var ErrBubble = errors.New("reactor: Run called in a testing/synctest bubble, whose clock stands still while the loop waits for the kernel: package reactortest has virtual time for loops")

// inBubble reports whether the caller's clock is not the system's. A bubble's begins
// with the year 2000, and there is no other sign of one.
func inBubble() bool {
	const apart = time.Hour
	for range 2 { // for the system's might be set in this very moment
		var tv syscall.Timeval
		if syscall.Gettimeofday(&tv) != nil || time.Since(time.Unix(tv.Unix())).Abs() < apart {
			return false
		}
	}
	return true
}
