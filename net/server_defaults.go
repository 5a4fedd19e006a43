package net

import "time"

// Defaults sets the limits of s that are 0 to values for a public server, and
// returns s. Negative limits stay, and mean no limit.
//
//	MaxConns         10,000       a hundred times MaxConnsPerAddr
//	MaxConnsPerAddr  100          a household, an office; more for a proxy or a carrier's NAT
//	IdleTimeout      two minutes  longer than the 60 to 75 s that clients keep connections
//	MessageTimeout   30 seconds   for a megabyte at 300 kbit/s
//
// docs/attacks.md explains what they protect against. A TLS server also has
// limits of the handshake: 10 s by default, and tls.Listener's MaxHandshakes,
// for which 100 is a good value.
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
