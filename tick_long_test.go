//go:build netbsd || openbsd || dragonfly

package eddy

import "time"

// tick is the unit of the kernel's sleeps: HZ is 100 by default.
func tick() time.Duration { return 10 * time.Millisecond }

func repeats() bool { return false }
