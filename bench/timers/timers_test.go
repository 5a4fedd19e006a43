package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTimers(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run([]string{"-pending", "10,2000", "-rounds", "2", "-time", "1ms", "-out", dir}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "timers.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r results
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Lines) != 16 {
		t.Errorf("there are %d lines", len(r.Lines))
	}
	for _, l := range r.Lines {
		if len(l.Rounds) != 2 || !(l.Rounds[0] > 0) || !(l.Rounds[0] < 1e6) {
			t.Errorf("%s %s with %d pending takes %v ns", l.Way, l.Case, l.Pending, l.Rounds)
		}
	}
	for _, want := range []string{"| add+fire, 2,000 ", "| reset, 10.0 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it did not print %q, but\n%s", want, out.String())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "timers.svg")); err != nil {
		t.Error(err)
	}
}

// each divides by how often the thing was done in the run that it took.
func TestEach(t *testing.T) {
	var last int
	var took time.Duration
	got := each(func(n int) {
		start := time.Now()
		for last = n; time.Since(start) < time.Duration(n)*time.Microsecond; {
		}
		took = time.Since(start)
	}, 5*time.Millisecond)
	if want := float64(took) / float64(last); math.Abs(got/want-1) > 0.2 || got < 1000 {
		t.Errorf("what takes %v ns takes %v", want, got)
	}
}

func TestTargets(t *testing.T) {
	r := results{Lines: []line{
		{"reset", "wheel", 1_000_000, []float64{10, 100}},
		{"reset", "time", 1_000_000, []float64{30, 300}},
	}}
	for _, x := range r.targets() {
		if measured := strings.Contains(x.What, "reset"); measured != !math.IsNaN(x.Got) || measured && x.Got != 3 {
			t.Errorf("%s: %v", x.What, x.Got)
		}
	}
}

func TestBadFlags(t *testing.T) {
	for _, args := range [][]string{{"-pending", "0"}, {"-pending", "x"}, {"-rounds", "0"}, {"-time", "0s"}, {"what"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
