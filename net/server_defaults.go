package net

import "time"

// Defaults sets those of s's limits that are 0 to values for a server that strangers can
// reach, and returns s. Those that are negative stay: there is no limit.
//
//	MaxConns         10,000       a hundred times MaxConnsPerAddr
//	MaxConnsPerAddr  100          a household, an office; more for a proxy or a carrier's NAT
//	IdleTimeout      two minutes  longer than the 60 to 75 s that clients keep connections
//	MessageTimeout   30 seconds   for a megabyte at 300 kbit/s
//
// What they are for, docs/attacks.md lists. A server of TLS has limits of the
// handshake besides: 10 s by itself, and tls.Listener's MaxHandshakes, of which 100 fit.
func (s *Server) Defaults() *Server {
	if s.MaxConns == 0 {
		s.MaxConns = 10_000
	}
	if s.MaxConnsPerAddr == 0 {
		s.MaxConnsPerAddr = 100
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = 2 * time.Minute
	}
	if s.MessageTimeout == 0 {
		s.MessageTimeout = 30 * time.Second
	}
	return s
}
