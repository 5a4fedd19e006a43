// Package chrome reads what was written for Chrome's tracing page, in the "JSON Object
// Format" of its "Trace Event Format", and checks it by the rules of the format.
package chrome

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// An Event is one of the format.
type Event struct {
	Name string
	Ph   string
	Pid  *int
	Tid  *int
	Ts   *float64
	Dur  *float64
	ID   *int
	Bp   string
	Cat  string
	S    string
	Args map[string]any
}

// Read reads a file of the format, and fails the test if a rule is broken.
func Read(t testing.TB, text []byte) []Event {
	t.Helper()
	var file struct {
		DisplayTimeUnit string
		TraceEvents     []Event
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatalf("no JSON: %v\n%.2000s", err, text)
	}
	if file.TraceEvents == nil {
		t.Fatalf("no Events: %s", text)
	}
	if err := check(file.TraceEvents); err != nil {
		t.Fatalf("%v\n%.4000s", err, text)
	}
	return file.TraceEvents
}

// check checks the rules: which fields each phase needs; that times are in order;
// that slices of a thread do not overlap, which B and E would be for; that each arrow has
// one beginning and one end, in this order; and that counters are numbers.
func check(events []Event) error {
	type thread struct{ pid, tid int }
	last := make(map[int]float64)
	busy := make(map[thread]float64)
	begun, ended := make(map[int]float64), make(map[int]bool)
	for i, e := range events {
		bad := func(what string) error { return fmt.Errorf("event %d, %+v: %s", i, e, what) }
		if e.Name == "" || e.Pid == nil || e.Tid == nil {
			return bad("it has no name, pid or tid")
		}
		if e.Ph == "M" {
			if e.Args["name"] == nil {
				return bad("it names nothing")
			}
			continue
		}
		if e.Ts == nil || *e.Ts < 0 {
			return bad("it has no time")
		}
		if *e.Ts < last[*e.Pid/2] {
			return bad("it is out of order")
		}
		last[*e.Pid/2] = *e.Ts
		switch e.Ph {
		case "X":
			k := thread{*e.Pid, *e.Tid}
			if e.Dur == nil || *e.Dur < 0 {
				return bad("it has no duration")
			}
			if *e.Ts < busy[k]-max(0.0015, busy[k]*1e-15) { // what was rounded to ns, and to a float64
				return bad(fmt.Sprintf("another slice ends at %v", busy[k]))
			}
			busy[k] = *e.Ts + *e.Dur
		case "s":
			if _, twice := begun[*e.ID]; twice || e.Cat == "" {
				return bad("another arrow has its number, or it has no category")
			}
			begun[*e.ID] = *e.Ts
		case "f":
			if at, ok := begun[*e.ID]; !ok || at > *e.Ts || ended[*e.ID] || e.Bp != "e" || e.Cat == "" {
				return bad("the arrow does not begin before it, or ends twice")
			}
			ended[*e.ID] = true
		case "i":
			if e.S != "t" {
				return bad("it has no extent")
			}
		case "C":
			for _, v := range e.Args {
				if _, ok := v.(float64); !ok {
					return bad("it counts no number")
				}
			}
		default:
			return bad("its phase is unknown")
		}
	}
	if len(begun) != len(ended) {
		return fmt.Errorf("%d arrows begin, %d end", len(begun), len(ended))
	}
	return nil
}

// Summary lists slices, arrows, marks and counters, a line each: the time in
// milliseconds, the phase, the thread, the name. Those of one time are sorted.
func Summary(events []Event) (lines []string) {
	names := make(map[[2]int]string)
	for _, e := range events {
		if e.Ph == "M" {
			if e.Name == "thread_name" {
				names[[2]int{*e.Pid, *e.Tid}] = e.Args["name"].(string)
			}
			continue
		}
		line := fmt.Sprintf("%v %s %s: %s", *e.Ts/1000, e.Ph, names[[2]int{*e.Pid, *e.Tid}], e.Name)
		if e.Dur != nil {
			line += fmt.Sprintf(" for %v", *e.Dur/1000)
		}
		if then := e.Args["then"]; then != nil {
			line += fmt.Sprintf(", then %v", then)
		}
		if n := e.Args["ready"]; n != nil {
			line += fmt.Sprintf(" %v", n)
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		var at, bt float64
		fmt.Sscan(a, &at)
		fmt.Sscan(b, &bt)
		return cmp.Or(cmp.Compare(at, bt), cmp.Compare(a, b))
	})
	return lines
}
