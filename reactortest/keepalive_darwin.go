package reactortest

import "golang.org/x/sys/unix"

// The options that say when an idle connection is probed; see tcp(4).
const (
	keepIdle     = unix.TCP_KEEPALIVE
	keepInterval = unix.TCP_KEEPINTVL
)
