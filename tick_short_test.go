//go:build darwin || freebsd || (linux && !kqueue_model && !epoll_restless)

package eddy

import "time"

// tick is the unit of the kernel's sleeps, 0 if it is short.
func tick() time.Duration { return 0 }

// repeats reports whether the kernel reports at random what it has reported.
func repeats() bool { return false }
