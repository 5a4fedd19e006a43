package reactortest

import (
	"fmt"
	"strings"
	"time"
)

// A Trace is what happened in a simulated run.
type Trace struct {
	// Seed is the run's.
	Seed uint64
	// Hash is that of all that happened: which task ran when and what it then
	// waited for, every message and every fault. Runs that have the same hash
	// went the same way.
	Hash uint64
	// Events is how many things happened.
	Events int
	// Time is how long the run took, in virtual time.
	Time time.Duration

	lines    []string
	recorded bool
}

// String is the trace for a person to read, a line for each event. It is empty
// unless the run was recorded, as a replay is.
func (t *Trace) String() string { return strings.Join(t.lines, "\n") }

// happened takes in an event: its kind and two numbers that tell it from
// others, and how to say it.
func (w *world) happened(kind kind, host *boot, a, b uint64, say func() string) {
	if w.left.Load() {
		select {} // the test has gone on without it
	}
	defer w.steps.Add(1)
	t := &w.trace
	t.Events++
	t.Hash = mix(mix(mix(mix(t.Hash, uint64(kind)), uint64(w.time())), a), b)
	if t.recorded {
		name := ""
		if host != nil {
			name = host.host.name
		}
		t.lines = append(t.lines, fmt.Sprintf("%14s  %-8s  %s", seconds(w.elapsed()), name, say()))
	}
}

// note is happened for what is said rarely.
func (w *world) note(host *boot, format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	w.happened(kindNote, host, hashString(s), 0, func() string { return s })
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

// seconds writes a time with all its digits, so that columns stay columns.
func seconds(ns int64) string {
	return fmt.Sprintf("%d.%09d", ns/1e9, ns%1e9)
}

// parting says where two traces of the same seed go different ways.
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
