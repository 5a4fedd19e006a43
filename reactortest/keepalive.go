//go:build linux || freebsd || netbsd || dragonfly

package reactortest

import "golang.org/x/sys/unix"

// The options that say when an idle connection is probed; see tcp(7).
const (
	keepIdle     = unix.TCP_KEEPIDLE
	keepInterval = unix.TCP_KEEPINTVL
)
