//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/report"
)

// find returns the line of a peer, or an empty one if there is none.
func (x measured) find(key string) line { return report.Find(x.Lines, key) }

func (x measured) print(out io.Writer) {
	t := report.Table{Head: []string{"server", "CPU µs/message", "× C", "messages/s", "p50 µs", "p99 µs", "p99.9 µs", "bytes/connection", "server's CPU"}}
	large := x.Shape.Size >= 10<<10
	if large {
		t.Head = append(t.Head, "MiB/s")
	}
	limit := x.find(peers.Limit)
	for _, l := range report.Measured(x.Lines) {
		row := []string{l.Title, report.Figure(l.Median(cpu)), report.Times(report.Ratio(l.Values(cpu), limit.Values(cpu))),
			report.Figure(l.Median(rate)), report.Figure(l.Median(p50)), report.Figure(l.Median(p99)), report.Figure(l.Median(p999)),
			report.Figure(math.Round(l.Median(memory))), percent(l.Median(server))}
		if large {
			row = append(row, report.Figure(l.Median(rate)*float64(x.Shape.Size)/(1<<20)))
		}
		t.Add(row...)
	}
	fmt.Fprintf(out, "\n### %s\n\n", x.Shape.title())
	t.Print(out)
	x.remark(out)
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }

// The shares from which the generator counts as always busy, and below which a
// server counts as not busy; how late a paced message may be; and the share
// that other processes may use.
const (
	alwaysBusy  = 0.95
	lateLimit   = 100.0 // microseconds
	othersLimit = 0.05
)

// remark prints remarks on a table: above all, where the generator and not the
// server was the limit.
func (x measured) remark(out io.Writer) {
	report.PrintFailures(out, x.Lines)
	var limited, atLimit, tardy []string
	most := 0.0
	for _, l := range report.Measured(x.Lines) {
		most = max(most, l.Median(others))
		if v := l.Median(late); v > lateLimit {
			tardy = append(tardy, fmt.Sprintf("%s (%s µs)", l.Title, report.Figure(v)))
		}
		if x.Shape.Percent > 0 || l.Median(busy) < alwaysBusy {
			continue
		}
		if l.Median(server) < alwaysBusy {
			limited = append(limited, l.Title)
		} else {
			atLimit = append(atLimit, l.Title)
		}
	}
	say := func(who []string, what string) {
		if len(who) > 0 {
			fmt.Fprintf(out, "\n%s: %s.\n", what, strings.Join(who, ", "))
		}
	}
	say(limited, "The load generator, and not the server, was the bottleneck for")
	say(atLimit, "The load generator was as busy as the server, and may have held it up, with")
	say(tardy, "The load generator was late (p99) with")
	if most > othersLimit {
		fmt.Fprintf(out, "\nOthers took up to %s of a processor meanwhile.\n", percent(most))
	}
}

// chart shows the CPU time per message, relative to the limit's if that was
// measured, and the latencies of paced shapes.
func (r results) chart() report.Chart {
	c := report.Chart{
		Title: "Echo servers: CPU time per message, relative to a C epoll loop (less is better)",
		Note:  r.Machine,
	}
	for _, x := range r.Shapes {
		c.Panels = append(c.Panels, x.panel())
	}
	return c
}

func (x measured) panel() report.Panel {
	limit := x.find(peers.Limit)
	p := report.Panel{Title: x.Shape.title(), Line: len(limit.Rounds) > 0 && x.Shape.Percent == 0}
	switch {
	case x.Shape.Percent > 0:
		p.Title += ": p99.9, µs"
	case !p.Line:
		p.Title += ": µs"
	}
	for _, l := range report.Measured(x.Lines) {
		v := l.Median(cpu)
		switch {
		case x.Shape.Percent > 0:
			v = l.Median(p999)
		case p.Line:
			v = report.Ratio(l.Values(cpu), limit.Values(cpu))
		}
		p.Bars = append(p.Bars, report.Bar{Label: l.Title, Value: v, Ours: strings.HasPrefix(l.Key, peers.Eddy)})
	}
	return p
}
