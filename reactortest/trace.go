package reactortest

import (
	"fmt"
	"strings"
	"time"
)

// A Trace is the record of a simulated run.
type Trace struct {
	// Seed is the run's seed.
	Seed uint64
	// Hash is a hash of all events: which task ran when and what it then waited for,
	// every message and every fault. Two runs with the same hash were the same.
	Hash uint64
	// Events is the number of events.
	Events int
	// Time is how long the run took in virtual time.
	Time time.Duration

	lines    []string
	recorded bool
}

// String returns the trace as text, a line for each event. It is empty unless the run
// was recorded, as a replay always is.
func (t *Trace) String() string { return strings.Join(t.lines, "\n") }

// record adds an event to the trace: its kind, two numbers that distinguish it, and a
// function that makes its text.
func (sim *simulator) record(kind kind, host *process, a, b uint64, say func() string) {
	if sim.abandoned.Load() {
		select {} // the test no longer waits for this loop
	}
	defer sim.steps.Add(1)
	t := &sim.trace
	t.Events++
	t.Hash = mix(mix(mix(mix(t.Hash, uint64(kind)), uint64(sim.time())), a), b)
	if t.recorded {
		name := ""
		if host != nil {
			name = host.host.name
		}
		t.lines = append(t.lines, fmt.Sprintf("%14s  %-8s  %s", seconds(sim.elapsed()), name, say()))
	}
}

// note records a rare event by its text.
func (sim *simulator) note(host *process, format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	sim.record(kindNote, host, hashString(s), 0, func() string { return s })
}

type kind uint8

const (
	kindNote kind = iota
	kindResume
	kindSuspend
	kindWrite
	kindRead
	kindDeliver
	kindLost
	kindConnect
	kindAccept
	kindClose
)

// mix is one step of a hash of 64-bit words: a multiplication and a shift, as in
// Java's SplittableRandom.
func mix(h, word uint64) uint64 {
	h = (h ^ word) * 0xbf58476d1ce4e5b9
	return h ^ h>>31
}

func hashString(s string) uint64 {
	h := uint64(len(s))
	for i := range len(s) {
		h = mix(h, uint64(s[i]))
	}
	return h
}

func hashBytes(p []byte) uint64 {
	h := uint64(len(p))
	for ; len(p) >= 8; p = p[8:] {
		h = mix(h, uint64(p[0])|uint64(p[1])<<8|uint64(p[2])<<16|uint64(p[3])<<24|
			uint64(p[4])<<32|uint64(p[5])<<40|uint64(p[6])<<48|uint64(p[7])<<56)
	}
	for _, b := range p {
		h = mix(h, uint64(b))
	}
	return h
}

// seconds formats a time with all its digits, so that the columns align.
func seconds(ns int64) string {
	return fmt.Sprintf("%d.%09d", ns/1e9, ns%1e9)
}

// parting describes where two traces of the same seed differ first.
func parting(a, b *Trace) string {
	i := 0
	for i < len(a.lines) && i < len(b.lines) && a.lines[i] == b.lines[i] {
		i++
	}
	var s strings.Builder
	for _, line := range a.lines[max(0, i-5):i] {
		fmt.Fprintf(&s, "  both  %s\n", line)
	}
	for _, t := range []struct {
		name  string
		lines []string
	}{{"first", a.lines}, {"second", b.lines}} {
		line := "(ends)"
		if i < len(t.lines) {
			line = t.lines[i]
		}
		fmt.Fprintf(&s, "%6s  %s\n", t.name, line)
	}
	return s.String()
}
