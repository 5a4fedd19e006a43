// Timers compares eddy's timer wheel, and a loop's timers, with package time's,
// while up to a million others are pending.
//
//	go run ./timers
//	go run ./timers -pending 1000 -rounds 3
//
// Rounds are interleaved, results are medians, and ratios are taken within a
// round. Times are wall times on all processors: with package time, firing a
// timer starts a goroutine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/eddyio/eddy/bench/internal/report"
	"github.com/eddyio/eddy/bench/internal/timers"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("timers: ")
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal(err)
	}
}

// A line is one way of doing an operation. Rounds are nanoseconds per
// operation.
type line struct {
	Case    string    `json:"case"`
	Way     string    `json:"way"`
	Pending int       `json:"pending"`
	Rounds  []float64 `json:"ns"`
}

// results is written as JSON.
type results struct {
	*report.Run
	Lines []line `json:"lines"`
}

func run(args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet("timers", flag.ContinueOnError)
	f.SetOutput(stderr)
	pending := f.String("pending", "1000,100000,1000000", "numbers of timers that are pending")
	rounds := f.Int("rounds", 5, "rounds, of which the median counts")
	length := f.Duration("time", 100*time.Millisecond, "length of a measurement")
	dir := f.String("out", "results", "folder for timers.md, timers.json and timers.svg")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || *rounds < 1 || *length <= 0 {
		return errors.New("flags only, and positive ones: see -help")
	}
	r := results{Run: report.Begin(stdout, "timers", args, machine())}
	for text := range strings.SplitSeq(*pending, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a list of positive numbers", *pending)
		}
		for _, c := range timers.Cases {
			r.Lines = append(r.Lines, measure(c, n, *rounds, *length)...)
		}
	}
	r.print()
	report.PrintTargets(r, r.targets())
	return r.Save(*dir, r, r.chart())
}

func measure(c timers.Case, pending, rounds int, length time.Duration) []line {
	lines := make([]line, len(c.Ways))
	for range rounds {
		for i, w := range c.Ways {
			do, stop := w.Start(pending)
			runtime.GC() // collect earlier garbage now, not during the measurement
			lines[i].Rounds = append(lines[i].Rounds, each(do, length))
			stop()
		}
	}
	for i, w := range c.Ways {
		lines[i].Case, lines[i].Way, lines[i].Pending = c.Name, w.Name, pending
	}
	return lines
}

// each returns the nanoseconds per operation, from a run of the given length.
func each(do func(n int), length time.Duration) float64 {
	for n := 1000; ; {
		start := time.Now()
		do(n)
		took := time.Since(start)
		if took >= length*4/5 {
			return float64(took) / float64(n)
		}
		n = int(min(float64(n)*float64(length)/float64(max(took, 1)), float64(n)*100)) + 1
	}
}

func (r results) find(name string, pending int, way string) []float64 {
	for _, l := range r.Lines {
		if l.Case == name && l.Pending == pending && l.Way == way {
			return l.Rounds
		}
	}
	return nil
}

func (r results) print() {
	t := report.Table{Head: []string{"what, with how many pending", "wheel ns", "loop ns", "time ns", "time / wheel", "time / loop"}}
	for _, l := range r.Lines {
		if l.Way != "wheel" {
			continue
		}
		loop, std := r.find(l.Case, l.Pending, "loop"), r.find(l.Case, l.Pending, "time")
		t.Add(fmt.Sprintf("%s, %s", l.Case, report.Figure(float64(l.Pending))), report.Figure(report.Median(l.Rounds)),
			report.Figure(report.Median(loop)), report.Figure(report.Median(std)),
			report.Times(report.Ratio(std, l.Rounds)), report.Times(report.Ratio(std, loop)))
	}
	fmt.Fprint(r, "\n### Timers\n\n")
	t.Print(r)
}

func (r results) targets() (all []report.Target) {
	bounds := map[string]float64{"add+cancel": 15, "reset": 2, "add+fire": 5}
	for _, c := range timers.Cases {
		got := math.NaN()
		if wheel := r.find(c.Name, 1_000_000, "wheel"); wheel != nil {
			got = report.Ratio(r.find(c.Name, 1_000_000, "time"), wheel)
		}
		all = append(all, report.Target{What: "a million pending: " + c.Name + ", package time relative to the wheel", Got: got, Bound: bounds[c.Name], AtLeast: true})
	}
	return all
}

func (r results) chart() report.Chart {
	c := report.Chart{Title: "Timers: nanoseconds each (less is better)", Note: r.Machine}
	panels := map[string]int{}
	for _, l := range r.Lines {
		title := fmt.Sprintf("%s, %s pending", l.Case, report.Figure(float64(l.Pending)))
		i, ok := panels[title]
		if !ok {
			i = len(c.Panels)
			panels[title] = i
			c.Panels = append(c.Panels, report.Panel{Title: title})
		}
		label := map[string]string{"wheel": "eddy's wheel", "loop": "eddy's loop", "time": "package time"}[l.Way]
		c.Panels[i].Bars = append(c.Panels[i].Bars, report.Bar{Label: label, Value: report.Median(l.Rounds), Ours: l.Way != "time"})
	}
	return c
}
