package net

import "github.com/eddyio/eddy/reactor/poll"

// A Meter is how a connection that lies over another one, as one of TLS does, tells what
// its user reads and writes, so that a [Server]'s limits go by that. See [poll.Meter].
type Meter = poll.Meter

// MeterOf returns the meter of a connection that lies directly or indirectly over c,
// or nil, which counts nothing, if no Server has put limits on c. It is called
// when the connection is first used; from then on the meter counts.
func MeterOf(c Conn) *Meter {
	below, err := limitable(c)
	if err != nil {
		return nil
	}
	return below.fd.Activity.Meter()
}
