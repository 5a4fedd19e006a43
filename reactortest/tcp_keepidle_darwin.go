package reactortest

import "golang.org/x/sys/unix"

// The options for the times of keepalive probes; see tcp(4).
const (
	keepIdle     = unix.TCP_KEEPALIVE
	keepInterval = unix.TCP_KEEPINTVL
)
