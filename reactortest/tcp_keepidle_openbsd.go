package reactortest

// OpenBSD has no options for the times of keepalive probes: these are never set.
const (
	keepIdle     = -1
	keepInterval = -2
)
