package net

import "github.com/eddyio/eddy/reactor/poll"

// A Meter lets a connection that wraps another one, such as a TLS connection,
// report what its user reads and writes, so that a [Server]'s limits apply to
// that. See [poll.Meter].
type Meter = poll.Meter

// MeterOf returns the meter for a connection that wraps c, directly or
// indirectly, or nil if no Server limits c; a nil meter counts nothing. Call it
// when the connection is first used; from then on the meter counts.
func MeterOf(c Conn) *Meter {
	below, err := limitable(c)
	if err != nil {
		return nil
	}
	return below.fd.Activity.Meter()
}
