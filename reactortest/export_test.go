package reactortest

import (
	"io"
	"testing"
	"time"
)

func init() { checking = true }

// WithoutChecks is for benchmarks: the checks look at every socket.
func WithoutChecks(b *testing.B) {
	checking = false
	b.Cleanup(func() { checking = true })
}

// SetMaxTurns changes for how many turns time may stand still.
func SetMaxTurns(t testing.TB, n int) {
	was := maxTurns
	maxTurns = n
	t.Cleanup(func() { maxTurns = was })
}

// SetPorts changes which ports are given to those who want any.
func SetPorts(t testing.TB, first, last uint16) {
	was, wasLast := firstPort, lastPort
	firstPort, lastPort = first, last
	t.Cleanup(func() { firstPort, lastPort = was, wasLast })
}

// SetBlockedAfter changes how long a loop may stand still after a refusal.
func SetBlockedAfter(t testing.TB, d time.Duration) {
	was := blockedAfter
	blockedAfter = d
	t.Cleanup(func() { blockedAfter = was })
}

// SetWatchdog changes after how long a hanging run is reported, and where.
func SetWatchdog(t testing.TB, after time.Duration, log io.Writer) {
	was, wasLog := patience, watchdogLog
	patience, watchdogLog = after, log
	t.Cleanup(func() { patience, watchdogLog = was, wasLog })
}
