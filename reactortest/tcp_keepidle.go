//go:build linux || freebsd || netbsd || dragonfly

package reactortest

import "golang.org/x/sys/unix"

// The options for the times of keepalive probes; see tcp(7).
const (
	keepIdle     = unix.TCP_KEEPIDLE
	keepInterval = unix.TCP_KEEPINTVL
)
