//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package process

import (
	"testing"
	"time"
)

// blockUntilExit gives the process time to become a zombie: not all of these
// systems can report that.
func blockUntilExit(testing.TB, int) { time.Sleep(200 * time.Millisecond) }
