package net

import (
	"sync/atomic"

	"github.com/eddyio/eddy/reactor/core"
)

// Stats counts what a Server has done so far.
type Stats struct {
	Accepted int64 // connections whose handlers were called
	Active   int64 // of these, open now
	Shed     int64 // closed at once because of MaxConns or MaxConnsPerAddr
	Expired  int64 // ended by IdleTimeout or MessageTimeout
	Failed   int64 // handlers that panicked, or returned an error that was logged
}

// Add returns the sums of the counters of two servers.
func (s Stats) Add(o Stats) Stats {
	return Stats{
		Accepted: s.Accepted + o.Accepted, Active: s.Active + o.Active,
		Shed: s.Shed + o.Shed, Expired: s.Expired + o.Expired, Failed: s.Failed + o.Failed,
	}
}

type stats struct{ accepted, active, shed, expired, failed atomic.Int64 }

// Stats returns s's counters. It may be called from any goroutine.
func (s *Server) Stats() Stats {
	return Stats{
		Accepted: s.stats.accepted.Load(),
		Active:   s.stats.active.Load(),
		Shed:     s.stats.shed.Load(),
		Expired:  s.stats.expired.Load(),
		Failed:   s.stats.failed.Load(),
	}
}

// view is what those see who inspect the loop.
func (s *Server) view(at Addr) core.ServerView {
	n := s.Stats()
	return core.ServerView{
		Address: at.String(), Connections: n.Active,
		Accepted: n.Accepted, Shed: n.Shed, Expired: n.Expired, Failed: n.Failed,
	}
}
