//go:build linux

// Http measures HTTP servers, each in its own process on one processor, with
// wrk on another: fasthttp on eddy's connections, fasthttp on Go's net, and
// net/http. A response has a body of 1 KiB.
//
//	go run ./http
//	go run ./http -conns 1,64,1000 -rounds 3
//
// Rounds are interleaved, results are medians, and ratios are taken within a
// round. It needs wrk (Debian: apt-get install wrk).
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
	"github.com/eddyio/eddy/bench/internal/report"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("http: ")
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

// A result is the measurement of one server in one round.
type result struct {
	Rate   float64 `json:"requests_per_second"`
	CPU    float64 `json:"server_us_per_request"`
	Server float64 `json:"server_share"` // of a processor
	Wrk    float64 `json:"wrk_share"`
	P50    float64 `json:"p50_us"`
	P99    float64 `json:"p99_us"`
}

// measured holds the results of all servers with a number of connections.
type measured struct {
	Conns int    `json:"connections"`
	Lines []line `json:"servers"`
}

type line = report.Line[result]

// results is written as JSON.
type results struct {
	*report.Run
	Shapes []measured `json:"shapes"`
}

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("http", flag.ContinueOnError)
	f.SetOutput(stderr)
	keys := f.String("peers", "all", "servers, separated by commas, or all: "+peers.Keys(peers.HTTP))
	conns := f.String("conns", "64", "numbers of connections")
	rounds := f.Int("rounds", 5, "rounds, of which the median counts")
	seconds := f.Int("time", 2, "length of a measurement in seconds")
	dir := f.String("out", "results", "folder for http.md, http.json and http.svg")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || *rounds < 1 || *seconds < 1 {
		return errors.New("flags only, and positive ones: see -help")
	}
	chosen, err := peers.Choose(peers.HTTP, *keys)
	if err != nil {
		return err
	}
	program, err := exec.LookPath("wrk")
	if err != nil {
		fmt.Fprintln(stdout, "skipped: there is no wrk here, which makes the load (Debian: apt-get install wrk)")
		return nil
	}
	tmp, err := os.MkdirTemp("", "eddy-http-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	proc.RaiseFileLimit()
	r := results{Run: report.Begin(stdout, "http", args, proc.Machine())}
	servers, skipped := peers.Build(tmp, chosen)
	for _, s := range skipped {
		r.Skip(s.String())
	}
	for text := range strings.SplitSeq(*conns, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a list of positive numbers", *conns)
		}
		x := measured{Conns: n, Lines: peers.Lines[result](servers)}
		report.Interleave(*rounds, x.Lines, func(i int) (result, error) { return once(program, servers[i], n, *seconds) })
		x.print(r)
		r.Shapes = append(r.Shapes, x)
	}
	report.PrintTargets(r, r.targets())
	return r.Save(*dir, r, r.chart())
}

// once measures a server once, in a process of its own. It does not count what
// the server uses before the first request.
func once(program string, p peers.Program, conns, seconds int) (r result, err error) {
	serverCPU, loadCPU := proc.Processors()
	srv, err := proc.Start(serverCPU, p.Argv...)
	if err != nil {
		return r, err
	}
	defer srv.Stop()
	before, err := proc.CPUTime(srv.PID)
	if err != nil {
		return r, err
	}
	cmd := exec.Command(program, "-t", "1", "-c", strconv.Itoa(conns), "-d", strconv.Itoa(seconds)+"s", "--latency", "http://"+srv.Addr+"/")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := proc.StartOn(loadCPU, cmd); err != nil {
		return r, err
	}
	if err := cmd.Wait(); err != nil {
		return r, fmt.Errorf("wrk: %w\n%s", err, said.Bytes())
	}
	wall := time.Since(start)
	after, err := proc.CPUTime(srv.PID)
	if err != nil {
		return r, err
	}
	r, requests, err := parseWrk(said.String())
	r.CPU = float64(after-before) / 1000 / requests
	r.Server = float64(after-before) / float64(wall)
	r.Wrk = float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / float64(wall)
	return r, err
}

var (
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkQuantile = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([0-9.]+)(us|ms|s|m)\s*$`)
	wrkErrors   = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx).*$`)
)

var wrkUnits = map[string]float64{"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6}

// parseWrk parses wrk's output.
func parseWrk(text string) (r result, requests float64, err error) {
	if complaint := wrkErrors.FindString(text); complaint != "" {
		return r, 0, fmt.Errorf("wrk reports: %s", strings.TrimSpace(complaint))
	}
	total, rate := wrkRequests.FindStringSubmatch(text), wrkRate.FindStringSubmatch(text)
	if total == nil || rate == nil {
		return r, 0, fmt.Errorf("wrk printed no number of requests, but: %s", text)
	}
	requests, _ = strconv.ParseFloat(total[1], 64)
	r.Rate, _ = strconv.ParseFloat(rate[1], 64)
	for _, q := range wrkQuantile.FindAllStringSubmatch(text, -1) {
		v, _ := strconv.ParseFloat(q[2], 64)
		v *= wrkUnits[q[3]]
		if q[1] == "50" {
			r.P50 = v
		} else {
			r.P99 = v
		}
	}
	if requests == 0 {
		return r, 0, errors.New("no request was answered")
	}
	return r, requests, nil
}

func rate(r result) float64   { return r.Rate }
func cpu(r result) float64    { return r.CPU }
func server(r result) float64 { return r.Server }
func wrk(r result) float64    { return r.Wrk }
func p50(r result) float64    { return r.P50 }
func p99(r result) float64    { return r.P99 }

func (x measured) print(out io.Writer) {
	t := report.Table{Head: []string{"server", "requests/s", "CPU µs/request", "p50 µs", "p99 µs", "server's CPU", "wrk's CPU"}}
	var limited []string
	for _, l := range report.Measured(x.Lines) {
		t.Add(l.Title, report.Figure(l.Median(rate)), report.Figure(l.Median(cpu)), report.Figure(l.Median(p50)), report.Figure(l.Median(p99)),
			fmt.Sprintf("%.0f%%", 100*l.Median(server)), fmt.Sprintf("%.0f%%", 100*l.Median(wrk)))
		if l.Median(wrk) >= 0.95 && l.Median(server) < 0.95 {
			limited = append(limited, l.Title)
		}
	}
	fmt.Fprintf(out, "\n### HTTP, %d connections, 1 KiB\n\n", x.Conns)
	t.Print(out)
	report.PrintFailures(out, x.Lines)
	if len(limited) > 0 {
		fmt.Fprintf(out, "\nwrk, and not the server, was the bottleneck for: %s.\n", strings.Join(limited, ", "))
	}
}

func (r results) targets() []report.Target {
	var x measured
	for _, m := range r.Shapes {
		if m.Conns == 64 {
			x = m
		}
	}
	ratio := func(than string) float64 {
		return report.Ratio(report.Find(x.Lines, peers.Eddy).Values(rate), report.Find(x.Lines, than).Values(rate))
	}
	return []report.Target{
		{What: "fasthttp on eddy, 64 connections: requests/s relative to fasthttp on Go net", Got: ratio("fasthttp"), Bound: 1.15, AtLeast: true},
		{What: "fasthttp on eddy, 64 connections: requests/s relative to net/http", Got: ratio("net/http"), Bound: 1.6, AtLeast: true},
	}
}

func (r results) chart() report.Chart {
	c := report.Chart{Title: "HTTP servers: requests a second, 1 KiB (more is better)", Note: r.Machine}
	for _, x := range r.Shapes {
		p := report.Panel{Title: fmt.Sprintf("%d connections", x.Conns)}
		for _, l := range report.Measured(x.Lines) {
			p.Bars = append(p.Bars, report.Bar{Label: l.Title, Value: l.Median(rate), Ours: l.Key == peers.Eddy})
		}
		c.Panels = append(c.Panels, p)
	}
	return c
}
