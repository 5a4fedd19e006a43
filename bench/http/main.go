//go:build linux

// Http measures HTTP servers, each a process of its own on one processor, with
// wrk on another: fasthttp on eddy's connections, fasthttp on Go's net, and
// net/http. A response has a body of 1 KiB.
//
//	go run ./http
//	go run ./http -conns 1,64,1000 -rounds 3
//
// Rounds are interleaved, medians count, and ratios are taken within a round. It
// needs wrk (Debian: apt-get install wrk), and says so if there is none.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
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

// A result is one server in one round.
type result struct {
	Rate   float64 `json:"requests_per_second"`
	CPU    float64 `json:"server_us_per_request"`
	Server float64 `json:"server_share"` // of a processor
	Wrk    float64 `json:"wrk_share"`
	P50    float64 `json:"p50_us"`
	P99    float64 `json:"p99_us"`
}

type line struct {
	Conns  int      `json:"connections"`
	Key    string   `json:"key"`
	Title  string   `json:"title"`
	Rounds []result `json:"rounds"`
	Error  string   `json:"error,omitempty"`
}

type results struct {
	Command string   `json:"command"`
	Machine string   `json:"machine"`
	Date    string   `json:"date"`
	Skipped []string `json:"skipped,omitempty"`
	Lines   []line   `json:"lines"`
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
	wrk, err := exec.LookPath("wrk")
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
	var markdown bytes.Buffer
	out := io.MultiWriter(stdout, &markdown)
	r := results{
		Command: strings.TrimSpace("go run ./http " + strings.Join(args, " ")),
		Machine: proc.Machine(),
		Date:    time.Now().UTC().Format(time.DateOnly),
	}
	fmt.Fprintf(out, "`%s`, %s\n\n%s\n", r.Command, r.Date, r.Machine)
	servers, skipped := peers.Build(tmp, chosen)
	for _, s := range skipped {
		r.Skipped = append(r.Skipped, s.String())
		first, _, _ := strings.Cut(s.String(), "\n")
		fmt.Fprintf(out, "\n%s\n", first)
	}
	for text := range strings.SplitSeq(*conns, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no list of positive numbers", *conns)
		}
		lines := measure(wrk, servers, n, *rounds, *seconds)
		print(out, n, lines)
		r.Lines = append(r.Lines, lines...)
	}
	report.PrintTargets(out, r.targets())
	return report.Write(*dir, "http", r, markdown.Bytes(), r.chart().SVG())
}

func measure(wrk string, servers []peers.Program, conns, rounds, seconds int) []line {
	lines := make([]line, len(servers))
	for i, p := range servers {
		lines[i] = line{Conns: conns, Key: p.Key, Title: p.Title}
	}
	for range rounds {
		for i, p := range servers {
			l := &lines[i]
			if l.Error != "" {
				continue
			}
			if x, err := once(wrk, p, conns, seconds); err != nil {
				l.Error = err.Error()
			} else {
				l.Rounds = append(l.Rounds, x)
			}
		}
	}
	return lines
}

// once measures a server once, in a process of its own. What it uses up to the
// first request is not counted.
func once(wrk string, p peers.Program, conns, seconds int) (r result, err error) {
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
	cmd := exec.Command(wrk, "-t", "1", "-c", strconv.Itoa(conns), "-d", strconv.Itoa(seconds)+"s", "--latency", "http://"+srv.Addr+"/")
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

// parseWrk takes the figures from what wrk prints.
func parseWrk(text string) (r result, requests float64, err error) {
	if complaint := wrkErrors.FindString(text); complaint != "" {
		return r, 0, fmt.Errorf("wrk complains: %s", strings.TrimSpace(complaint))
	}
	total, rate := wrkRequests.FindStringSubmatch(text), wrkRate.FindStringSubmatch(text)
	if total == nil || rate == nil {
		return r, 0, fmt.Errorf("wrk did not say how many requests were answered, but: %s", text)
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

func (l line) values(of func(result) float64) []float64 {
	values := make([]float64, len(l.Rounds))
	for i, r := range l.Rounds {
		values[i] = of(r)
	}
	return values
}

func (l line) median(of func(result) float64) float64 { return report.Median(l.values(of)) }

func rate(r result) float64 { return r.Rate }
func cpu(r result) float64  { return r.CPU }

func print(out io.Writer, conns int, lines []line) {
	t := report.Table{Head: []string{"server", "requests/s", "CPU µs/request", "p50 µs", "p99 µs", "server's CPU", "wrk's CPU"}}
	var limited []string
	for _, l := range lines {
		if len(l.Rounds) == 0 {
			continue
		}
		server, wrk := l.median(func(r result) float64 { return r.Server }), l.median(func(r result) float64 { return r.Wrk })
		t.Add(l.Title, report.Figure(l.median(rate)), report.Figure(l.median(cpu)),
			report.Figure(l.median(func(r result) float64 { return r.P50 })),
			report.Figure(l.median(func(r result) float64 { return r.P99 })),
			fmt.Sprintf("%.0f%%", 100*server), fmt.Sprintf("%.0f%%", 100*wrk))
		if wrk >= 0.95 && server < 0.95 {
			limited = append(limited, l.Title)
		}
	}
	fmt.Fprintf(out, "\n### HTTP, %d connections, 1 KiB\n\n", conns)
	t.Print(out)
	for _, l := range lines {
		if l.Error != "" {
			fmt.Fprintf(out, "\n%s failed: %s\n", l.Title, l.Error)
		}
	}
	if len(limited) > 0 {
		fmt.Fprintf(out, "\nwrk, and not the server, was the bottleneck for: %s.\n", strings.Join(limited, ", "))
	}
}

func (r results) targets() []report.Target {
	ratio := func(than string) float64 {
		ours, theirs := r.find(64, peers.Eddy), r.find(64, than)
		if ours == nil || theirs == nil {
			return math.NaN()
		}
		return report.Ratio(ours.values(rate), theirs.values(rate))
	}
	return []report.Target{
		{What: "fasthttp on eddy, 64 connections: requests/s by fasthttp's on Go net", Got: ratio("fasthttp"), Bound: 1.15, AtLeast: true},
		{What: "fasthttp on eddy, 64 connections: requests/s by net/http's", Got: ratio("net/http"), Bound: 1.6, AtLeast: true},
	}
}

func (r results) find(conns int, key string) *line {
	for i, l := range r.Lines {
		if l.Conns == conns && l.Key == key {
			return &r.Lines[i]
		}
	}
	return nil
}

func (r results) chart() report.Chart {
	c := report.Chart{Title: "HTTP servers: requests a second, 1 KiB (more is better)", Note: r.Machine}
	for _, l := range r.Lines {
		title := fmt.Sprintf("%d connections", l.Conns)
		if n := len(c.Panels); n == 0 || c.Panels[n-1].Title != title {
			c.Panels = append(c.Panels, report.Panel{Title: title})
		}
		p := &c.Panels[len(c.Panels)-1]
		if len(l.Rounds) > 0 {
			p.Bars = append(p.Bars, report.Bar{Label: l.Title, Value: l.median(rate), Ours: l.Key == peers.Eddy})
		}
	}
	return c
}
