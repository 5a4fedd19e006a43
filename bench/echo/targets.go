//go:build linux

package main

import (
	"fmt"
	"math"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/report"
)

// The shapes for which there are targets.
var (
	few      = shape{Conns: 64, InFlight: 1, Size: 64}
	deep     = shape{Conns: 64, InFlight: 16, Size: 64}
	many     = shape{Conns: 1000, InFlight: 1, Size: 64}
	masses   = shape{Conns: 10000, InFlight: 1, Size: 64}
	large    = shape{Conns: 64, InFlight: 1, Size: 100 << 10}
	unforced = shape{Conns: 64, InFlight: 1, Size: 64, Percent: 70}
)

// targets compares the run with eddy's targets. Figures that the run did not
// measure are NaN.
func (r results) targets() (all []report.Target) {
	most := func(server string, s shape, than string, bound float64) {
		all = append(all, report.Target{What: fmt.Sprintf("%s, %s: CPU by %s's", server, s.title(), than), Got: r.ratio(s, server, than, cpu), Bound: bound})
	}
	for _, s := range []shape{few, deep, many} {
		limit, ready := 1.10, 1.05
		if s == many {
			limit, ready = 1.18, 1.08
		}
		most(peers.Eddy, s, peers.Limit, limit)
		for _, than := range []string{"gnet", "netpoll"} {
			most(peers.Eddy, s, than, 0.85)
		}
		most(peers.Eddy, s, "net", 0.80)
		most(peers.Eddy, s, "asio", 1)
		most(peers.Eddy, s, "tokio", 1)
		most(peers.EddyReady, s, peers.Limit, ready)
		most(peers.EddyReady, s, "libuv", 1)
	}
	for _, server := range []string{peers.Eddy, peers.EddyReady} {
		all = append(all,
			report.Target{What: server + ": growth of CPU per message from 1,000 to 10,000 connections, less the C loop's",
				Got: r.growth(server) - r.growth(peers.Limit), Bound: 0.10},
			report.Target{What: server + ", 100 KiB: bandwidth by the C loop's", Got: r.ratio(large, server, peers.Limit, rate), Bound: 0.95, AtLeast: true},
			report.Target{What: server + ", 100 KiB: bandwidth by Go net's", Got: r.ratio(large, server, "net", rate), Bound: 1, AtLeast: true},
			report.Target{What: server + ": p99.9 at 70% of saturation by Go net's", Got: r.ratio(unforced, server, "net", p999), Bound: 1})
	}
	return all
}

// ratio returns the ratio of a figure of one server to that of another.
func (r results) ratio(s shape, server, than string, of func(result) float64) float64 {
	x := r.shape(s)
	return report.Ratio(x.find(server).Values(of), x.find(than).Values(of))
}

// growth returns by which factor the CPU time per message grows with ten times
// the connections.
func (r results) growth(server string) float64 {
	before, after := r.shape(many).find(server), r.shape(masses).find(server)
	if len(before.Rounds) == 0 || len(after.Rounds) == 0 {
		return math.NaN()
	}
	return after.Median(cpu) / before.Median(cpu)
}

// shape returns the results of a shape, or none if it was not measured.
func (r results) shape(s shape) measured {
	for _, x := range r.Shapes {
		if x.Shape == s {
			return x
		}
	}
	return measured{}
}
