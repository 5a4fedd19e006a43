package reactortest

// OpenBSD has no options that say when an idle connection is probed: these are
// never set.
const (
	keepIdle     = -1
	keepInterval = -2
)
