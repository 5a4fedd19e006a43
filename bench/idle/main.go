//go:build linux

// Idle measures the cost of idle connections: the server's memory for each, and
// the CPU time of having many.
//
//	go run ./idle
//	go run ./idle -conns 5000 -peers eddy,net -rounds 1
//
// Each server gets all the connections, silent at first. Then each connection
// exchanges one message and is silent again, to show what a server keeps for a
// connection that has been used. Memory is anonymous memory in RAM: heap and
// stacks, without the kernel's memory for sockets. Servers in Go are measured
// as they are, and again after a garbage collection that returns free memory;
// the latter is what their connections hold.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"strings"
	"time"

	"github.com/eddyio/eddy/bench/internal/load"
	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
	"github.com/eddyio/eddy/bench/internal/report"
)

const defaultPeers = "c,eddy,eddy-ready,net,net4k,gnet,netpoll,libuv,tokio"

func main() {
	log.SetFlags(0)
	log.SetPrefix("idle: ")
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

// A result is the measurement of one server in one round, in bytes per
// connection.
type result struct {
	Silent          float64 `json:"silent"`
	SilentCollected float64 `json:"silent_collected"`
	Spoken          float64 `json:"spoken"`
	SpokenCollected float64 `json:"spoken_collected"`
	CPU             float64 `json:"cpu_us_per_second"` // while all are silent
}

// results is written as JSON.
type results struct {
	*report.Run
	Conns int    `json:"connections"`
	Lines []line `json:"servers"`
}

type line = report.Line[result]

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("idle", flag.ContinueOnError)
	f.SetOutput(stderr)
	keys := f.String("peers", defaultPeers, "servers, separated by commas, or all: "+peers.Keys(peers.Echo))
	conns := f.Int("conns", 15000, "connections")
	rounds := f.Int("rounds", 3, "rounds, of which the median counts")
	dir := f.String("out", "results", "folder for idle.md, idle.json and idle.svg")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || *conns < 1 || *rounds < 1 {
		return errors.New("flags only, and positive ones: see -help")
	}
	if files := proc.RaiseFileLimit(); *conns+100 > files {
		return fmt.Errorf("%d connections need %d file descriptors in each process, of %d: choose fewer with -conns", *conns, *conns+100, files)
	}
	chosen, err := peers.Choose(peers.Echo, *keys)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "eddy-idle-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	r := results{Run: report.Begin(stdout, "idle", args, proc.Machine()), Conns: *conns}
	servers, skipped := peers.Build(tmp, chosen)
	for _, s := range skipped {
		r.Skip(s.String())
	}
	r.Lines = peers.Lines[result](servers)
	report.Interleave(*rounds, r.Lines, func(i int) (result, error) { return once(servers[i], *conns) })
	r.print()
	report.PrintTargets(r, r.targets())
	return r.Save(*dir, r, r.chart())
}

// once measures a server once, in a process of its own.
func once(p peers.Program, conns int) (r result, err error) {
	cpu, _ := proc.Processors()
	srv, err := proc.Start(cpu, p.Argv...)
	if err != nil {
		return r, err
	}
	defer srv.Stop()
	m := meter{srv: srv, collects: p.Go, conns: float64(conns)}
	m.empty = m.collected() * m.conns
	g, err := load.DialSilent(srv.Addr, conns)
	if err != nil {
		return r, fmt.Errorf("%w%s", err, srv.Complaints())
	}
	defer g.Close()
	r.Silent, r.SilentCollected = m.memory(), m.collected()
	if err := g.Check(); err != nil {
		return r, fmt.Errorf("%w%s", err, srv.Complaints())
	}
	r.Spoken, r.SpokenCollected = m.memory(), m.collected()
	r.CPU = m.idle(time.Second / 2)
	return r, m.err
}

// A meter measures one server. It keeps its first error.
type meter struct {
	srv      *proc.Server
	collects bool
	conns    float64
	empty    float64 // bytes without connections
	err      error
}

// memory returns the server's memory per connection, in bytes.
func (m *meter) memory() float64 {
	bytes, err := proc.Memory(m.srv.PID)
	m.err = errors.Join(m.err, err)
	return math.Max(0, float64(bytes)-m.empty) / m.conns
}

func (m *meter) collected() float64 {
	if m.collects {
		m.err = errors.Join(m.err, m.srv.Collect())
	}
	return m.memory()
}

// idle returns the CPU time that the server uses per second of silence, in
// microseconds.
func (m *meter) idle(length time.Duration) float64 {
	before, err := proc.CPUTime(m.srv.PID)
	m.err = errors.Join(m.err, err)
	time.Sleep(length)
	after, err := proc.CPUTime(m.srv.PID)
	m.err = errors.Join(m.err, err)
	return float64((after-before)/time.Microsecond) / length.Seconds()
}

func silent(r result) float64          { return r.Silent }
func silentCollected(r result) float64 { return r.SilentCollected }
func spoken(r result) float64          { return r.Spoken }
func spokenCollected(r result) float64 { return r.SpokenCollected }
func cpu(r result) float64             { return r.CPU }

func (r results) print() {
	t := report.Table{Head: []string{"server", "silent", "collected", "after a message", "collected", "CPU µs/s"}}
	for _, l := range report.Measured(r.Lines) {
		row := []string{l.Title}
		for _, of := range []func(result) float64{silent, silentCollected, spoken, spokenCollected, cpu} {
			row = append(row, report.Figure(math.Round(l.Median(of))))
		}
		t.Add(row...)
	}
	fmt.Fprintf(r, "\n### Bytes for each of %s idle connections\n\n", report.Figure(float64(r.Conns)))
	t.Print(r)
	report.PrintFailures(r, r.Lines)
}

func (r results) targets() []report.Target {
	return []report.Target{
		{What: "eddy Serve: bytes of an idle connection", Got: r.find(peers.Eddy).Median(spokenCollected), Bound: 3.5 * 1024},
		{What: "eddy ServeReady: bytes of an idle connection", Got: r.find(peers.EddyReady).Median(spokenCollected), Bound: 400},
	}
}

func (r results) find(key string) line { return report.Find(r.Lines, key) }

func (r results) chart() report.Chart {
	before := report.Panel{Title: "that have been silent"}
	after := report.Panel{Title: "that have exchanged one message"}
	for _, l := range report.Measured(r.Lines) {
		ours := strings.HasPrefix(l.Key, peers.Eddy)
		before.Bars = append(before.Bars, report.Bar{Label: l.Title, Value: l.Median(silentCollected), Ours: ours})
		after.Bars = append(after.Bars, report.Bar{Label: l.Title, Value: l.Median(spokenCollected), Ours: ours})
	}
	return report.Chart{
		Title:  "Bytes for each idle connection, garbage collected (less is better)",
		Note:   r.Machine,
		Panels: []report.Panel{before, after},
	}
}
