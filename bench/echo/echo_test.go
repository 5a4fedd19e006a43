//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
)

// The whole program, as small as it gets.
func TestEcho(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	var out, errs bytes.Buffer
	args := []string{"-peers", "eddy,net", "-shapes", "2x2x64,2x1x64@70,1000000x1x64", "-rounds", "1", "-time", "50ms", "-out", dir}
	if err := run(args, &out, &errs); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	for _, want := range []string{"### 2 connections × 2 in flight, 64 B", "| eddy Serve ", "| Go net ", "at 70% of saturation", "file descriptors"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it did not print %q, but\n%s", want, out.String())
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "echo.md")); err != nil || string(text) != out.String() {
		t.Errorf("echo.md is not what was printed: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "echo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	checkResults(t, r)
	if text, err = os.ReadFile(filepath.Join(dir, "echo.svg")); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func checkResults(t *testing.T, r results) {
	t.Helper()
	if len(r.Shapes) != 2 || len(r.Skipped) != 1 || r.Machine == "" {
		t.Fatalf("there are %d shapes, and skipped were %q", len(r.Shapes), r.Skipped)
	}
	for _, x := range r.Shapes {
		for _, key := range []string{"eddy", "net"} {
			l := x.find(key)
			if len(l.Rounds) != 1 || l.Error != "" {
				t.Errorf("%s has %d rounds in %v: %s", key, len(l.Rounds), x.Shape, l.Error)
				continue
			}
			if v := l.Rounds[0]; v.Rate <= 0 || v.CPU <= 0 || v.P50 <= 0 || v.P999 < v.P50 || v.Server <= 0 || v.Server > 2 {
				t.Errorf("%s did this in %v: %+v", key, x.Shape, v)
			} else if paced := x.Shape.Percent > 0; paced != (v.Late > 0) {
				t.Errorf("in %v messages were paced, or not, wrongly: %+v", x.Shape, v)
			}
		}
	}
}

// A server that answers nothing has no figures, and is said to have failed.
func TestNothingComesBack(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // the check, and no more
				io.CopyN(c, c, 64)
				io.Copy(io.Discard, c)
			}()
		}
	}()
	m := newMeter(options{time: 10 * time.Millisecond})
	for _, s := range []shape{{Conns: 1, InFlight: 1, Size: 64}, {Conns: 1, InFlight: 1, Size: 64, Percent: 70}} {
		if r, err := m.load(s, &proc.Server{Addr: ln.Addr().String(), PID: os.Getpid()}); err == nil {
			t.Errorf("%s: %+v", s.title(), r)
		}
	}
}

func TestShapes(t *testing.T) {
	for text, want := range map[string]shape{
		"1x1x64":       {Conns: 1, InFlight: 1, Size: 64},
		"64x16x10KiB":  {Conns: 64, InFlight: 16, Size: 10240},
		"1000x1x64@70": {Conns: 1000, InFlight: 1, Size: 64, Percent: 70},
	} {
		if got, err := parseShape(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "1x1", "0x1x1", "1x1x1x1", "ax1x1", "1x1x-1", "1x1xKiB", "1x1x1@", "1x1x1@0", "1x2x1@70"} {
		if got, err := parseShape(text); err == nil {
			t.Errorf("%q is taken as %+v", text, got)
		}
	}
	if got := (shape{Conns: 10000, InFlight: 16, Size: 100 << 10}).title(); got != "10,000 connections × 16 in flight, 100 KiB" {
		t.Errorf("a title is %q", got)
	}
	shapes, err := parseShapes(defaultShapes)
	if err != nil {
		t.Fatal(err)
	}
	known := map[shape]bool{}
	for _, s := range append(shapes, allShapes()...) {
		known[s] = true
	}
	for _, s := range []shape{few, deep, many, masses, large, unforced} {
		if !known[s] {
			t.Errorf("no run measures %s, of which a target speaks", s.title())
		}
	}
}

// made makes results up: in each round, what a server needs for a message.
func made(s shape, cpus map[string][]float64) measured {
	x := measured{Shape: s}
	for key, values := range cpus {
		l := line{Key: key, Title: key}
		for _, v := range values {
			l.Rounds = append(l.Rounds, result{CPU: v, Rate: 1e6 / v, P999: 10 * v, Server: 1})
		}
		x.Lines = append(x.Lines, l)
	}
	return x
}

func TestTargets(t *testing.T) {
	r := results{Shapes: []measured{
		made(few, map[string][]float64{peers.Limit: {1, 10, 2}, peers.Eddy: {1.05, 10.5, 9}, "net": {2, 20, 4}}),
		made(many, map[string][]float64{peers.Limit: {2}, peers.Eddy: {2.2}}),
		made(masses, map[string][]float64{peers.Limit: {3}, peers.Eddy: {4.4}}),
		made(large, map[string][]float64{peers.Limit: {10}, peers.Eddy: {20}}),
	}}
	want := map[string]float64{
		"eddy, 64 connections × 1 in flight, 64 B: CPU by c's":                                      1.05,
		"eddy, 64 connections × 1 in flight, 64 B: CPU by net's":                                    0.525,
		"eddy: growth of CPU per message from 1,000 to 10,000 connections, less the C loop's":       0.5,
		"eddy, 100 KiB: bandwidth by the C loop's":                                                  0.5,
		"eddy, 64 connections × 1 in flight, 64 B: CPU by gnet's":                                   math.NaN(),
		"eddy-ready: growth of CPU per message from 1,000 to 10,000 connections, less the C loop's": math.NaN(),
	}
	seen := 0
	for _, x := range r.targets() {
		if w, ok := want[x.What]; ok {
			seen++
			if math.Abs(x.Got-w) > 1e-9 || math.IsNaN(x.Got) != math.IsNaN(w) {
				t.Errorf("%s is %v, not %v", x.What, x.Got, w)
			}
		}
	}
	if seen != len(want) {
		t.Errorf("only %d of %d targets are there", seen, len(want))
	}
}

// The tables say where the generator was the bottleneck.
func TestRemarks(t *testing.T) {
	l := func(title string, server, busy float64) line {
		return line{Key: title, Title: title, Rounds: []result{{CPU: 1, Rate: 1, Server: server, Busy: busy}}}
	}
	x := measured{Shape: few, Lines: []line{l("slow", 1, 0.5), l("fast", 0.7, 1), l("even", 0.99, 0.99), {Title: "broken", Error: "a reason"}}}
	var b bytes.Buffer
	x.remark(&b)
	for _, want := range []string{"the bottleneck for: fast.", "held it up, with: even.", "broken failed: a reason"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in %s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "slow") {
		t.Errorf("it remarks on a server that was slow: %s", b.String())
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-peers", "nobody"}, {"-shapes", "x"}, {"-rounds", "0"}, {"-time", "0s"}, {"what"}, {"-what"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
