//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/eddyio/eddy/bench/internal/load"
	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
	"github.com/eddyio/eddy/bench/internal/report"
)

// A result is the measurement of one server in one round.
type result struct {
	Rate   float64 `json:"messages_per_second"`
	CPU    float64 `json:"server_us_per_message"`
	Server float64 `json:"server_share"` // of a processor
	Busy   float64 `json:"generator_busy"`
	Others float64 `json:"others_share"` // of a processor, used by neither of the two

	// Microseconds from the beginning of a burst, or from when a message was
	// due, until it is back.
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
	Late float64 `json:"late_p99_us,omitempty"` // paced: how late the generator was

	Memory float64 `json:"bytes_per_connection"`
}

// A line holds the results of one server in a shape.
type line = report.Line[result]

// measured holds the results of all servers in a shape.
type measured struct {
	Shape shape  `json:"shape"`
	Lines []line `json:"servers"`
}

// A meter measures servers.
type meter struct {
	options
	serverCPU, loadCPU int
	files              int // limit of descriptors per process
}

func newMeter(o options) *meter {
	m := &meter{options: o, files: proc.RaiseFileLimit()}
	m.serverCPU, m.loadCPU = proc.Processors()
	return m
}

func (m *meter) warn(out io.Writer) {
	if m.serverCPU == m.loadCPU {
		fmt.Fprintln(out, "\nThere is one processor, which the servers share with the load: these figures mean little.")
	}
}

// inFlightLimit is the most bytes in flight: the kernel holds them up to four
// times, in socket buffers.
const inFlightLimit = 256 << 20

// impossible returns why a shape can't be measured here, or "".
func (m *meter) impossible(s shape) string {
	if need := s.Conns + 100; need > m.files {
		return fmt.Sprintf("it needs %d file descriptors in each process, of %d", need, m.files)
	}
	if bytes := s.Conns * s.InFlight * s.Size; bytes > inFlightLimit {
		return fmt.Sprintf("%d MiB in flight are more than the kernel's buffers should hold", bytes>>20)
	}
	return ""
}

// measure runs the rounds of a shape.
func (m *meter) measure(s shape, servers []peers.Program) measured {
	x := measured{Shape: s, Lines: peers.Lines[result](servers)}
	report.Interleave(m.rounds, x.Lines, func(i int) (result, error) { return m.once(s, servers[i]) })
	return x
}

// once measures a server once, in a process of its own.
func (m *meter) once(s shape, p peers.Program) (r result, err error) {
	srv, err := proc.Start(m.serverCPU, p.Argv...)
	if err != nil {
		return r, err
	}
	defer srv.Stop()
	do := func() { r, err = m.load(s, srv) }
	if !proc.On(m.loadCPU, do) {
		do()
	}
	if err != nil {
		err = fmt.Errorf("%w%s", err, srv.Complaints())
	}
	return r, err
}

func (m *meter) load(s shape, srv *proc.Server) (r result, err error) {
	empty, err := proc.Memory(srv.PID)
	if err != nil {
		return r, err
	}
	rate := 0.0
	if s.Percent > 0 {
		if rate, err = m.saturate(s, srv); err != nil {
			return r, err
		}
		rate *= float64(s.Percent) / 100
	}
	g, err := load.Dial(srv.Addr, s.Conns)
	if err != nil {
		return r, err
	}
	defer g.Close()
	if err := begin(g, s, rate); err != nil {
		return r, err
	}
	if err := m.warmUp(g, s); err != nil {
		return r, err
	}
	if r, err = m.window(g, srv); err != nil {
		return r, err
	}
	full, err := proc.Memory(srv.PID)
	r.Memory = max(0, float64(full-empty)) / float64(s.Conns)
	return r, err
}

func begin(g *load.Generator, s shape, rate float64) error {
	if s.Percent > 0 {
		return g.Paced(s.Size, rate)
	}
	return g.Closed(s.Size, s.InFlight)
}

// warmUp loads the server for a fifth of a measurement, and until every
// connection has had its turn twice, up to a limit.
func (m *meter) warmUp(g *load.Generator, s shape) error {
	messages := 0.0
	for range 20 {
		x, err := g.Run(m.time / 5)
		if err != nil {
			return err
		}
		if messages += x.Messages; messages >= float64(2*s.Conns*s.InFlight) {
			break
		}
	}
	return nil
}

// saturate returns how many messages per second the server can handle in this
// shape.
func (m *meter) saturate(s shape, srv *proc.Server) (float64, error) {
	g, err := load.Dial(srv.Addr, s.Conns)
	if err != nil {
		return 0, err
	}
	defer g.Close()
	if err := g.Closed(s.Size, s.InFlight); err != nil {
		return 0, err
	}
	if err := m.warmUp(g, s); err != nil {
		return 0, err
	}
	x, err := g.Run(m.time / 2)
	return x.Messages / x.Wall.Seconds(), err
}

// window measures the server under load for a while.
func (m *meter) window(g *load.Generator, srv *proc.Server) (r result, err error) {
	server, err := proc.CPUTime(srv.PID)
	if err != nil {
		return r, err
	}
	own, err := proc.CPUTime(os.Getpid())
	if err != nil {
		return r, err
	}
	busy := proc.BusyTime()
	x, err := g.Run(m.time)
	if err == nil && x.Messages == 0 {
		err = fmt.Errorf("no message came back within %v", m.time)
	}
	if err != nil {
		return r, err
	}
	after, err := proc.CPUTime(srv.PID)
	if err != nil {
		return r, err
	}
	ownAfter, err := proc.CPUTime(os.Getpid())
	server, own, busy = after-server, ownAfter-own, proc.BusyTime()-busy
	return result{
		Rate:   x.Messages / x.Wall.Seconds(),
		CPU:    micros(server) / x.Messages,
		Server: server.Seconds() / x.Wall.Seconds(),
		Busy:   x.Busy,
		Others: max(0, (busy-server-own).Seconds()/x.Wall.Seconds()),
		P50:    micros(x.Latency.Quantile(0.5)),
		P99:    micros(x.Latency.Quantile(0.99)),
		P999:   micros(x.Latency.Quantile(0.999)),
		Late:   micros(x.Late.Quantile(0.99)),
	}, err
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func cpu(r result) float64    { return r.CPU }
func rate(r result) float64   { return r.Rate }
func server(r result) float64 { return r.Server }
func busy(r result) float64   { return r.Busy }
func others(r result) float64 { return r.Others }
func late(r result) float64   { return r.Late }
func p50(r result) float64    { return r.P50 }
func p99(r result) float64    { return r.P99 }
func p999(r result) float64   { return r.P999 }
func memory(r result) float64 { return r.Memory }
