package reactor

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/eddyio/eddy/internal/flight"
	"github.com/eddyio/eddy/reactor/core"
)

// ErrNotRecording is returned by [WriteTrace] if no loop records what happens.
var ErrNotRecording = errors.New("reactor: no loop records what happens: set Options.Record or EDDYRECORD, or call StartRecording")

// WriteTrace writes what the loops of the process have recorded in the last d (0: all
// of it) as JSON for https://ui.perfetto.dev or Chrome's chrome://tracing: a track for
// each task, on which one sees when it ran, was ready, and waited, and for what; an arrow
// from what woke it; a track for the loop, with its turns and callbacks; and how many tasks
// were ready. Times are to about a hundred nanoseconds.
//
// It may be called from anywhere, also while a loop stands: what the loop is in the midst
// of is there. On another goroutine than the loop's it asks the loop for the names of its
// tasks; a loop that stands is given 100 ms to answer, and those of its tasks that were
// made before the record began have a number only. It holds the loop up for less than a
// millisecond at a time.
//
// Without a loop that records, the error is [ErrNotRecording]; other errors are w's.
func WriteTrace(w io.Writer, d time.Duration) error {
	var all []*flight.Recording
	for _, l := range core.Loops() {
		if r := l.Recorded(patience); r != nil {
			if d > 0 {
				r.Last(d)
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return ErrNotRecording
	}
	return flight.WriteChrome(w, all...)
}

// patience is how long a loop may take to say how its tasks are called.
const patience = 100 * time.Millisecond

// StartRecording makes each loop of the process record what happens, in at most so many
// bytes, unless it does so already, until stop is called. A loop that begins later is
// not among them. It may be called from anywhere; a loop follows when it takes its next
// turn, and what it records can be written until stop is called. In a simulation it does
// nothing.
func StartRecording(bytes int) (stop func()) {
	var begun []*core.Loop
	for _, l := range core.Loops() {
		if !l.Simulated() && l.Post(func() { l.Record(bytes) }) {
			begun = append(begun, l)
		}
	}
	return func() {
		for _, l := range begun {
			l.Post(l.StopRecording)
		}
		begun = nil
	}
}

// recordBytes returns what o.Record means.
func (o Options) recordBytes() int {
	if o.Record != 0 {
		return o.Record
	}
	n, err := strconv.Atoi(os.Getenv("EDDYRECORD"))
	if err != nil || n <= 0 || n > maxRecordMiB {
		return 0
	}
	return n << 20
}

// maxRecordMiB bounds EDDYRECORD.
const maxRecordMiB = 1024
