//go:build darwin || freebsd || (linux && !kqueue_model && !epoll_restless)

package eddy

import "time"

// tick is the unit of the kernel's sleeps, 0 if it is short.
func tick() time.Duration { return 0 }

// repeats reports whether the kernel repeats reports at random.
func repeats() bool { return false }
