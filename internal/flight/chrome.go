package flight

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"
)

// WriteChrome writes recordings in the format of Chrome's tracing page, "JSON Object
// Format" of its "Trace Event Format", which https://ui.perfetto.dev reads too.
//
// Each loop is two processes there. The first has a thread for each task: slices for
// when it runs, is ready and waits, and arrows from what woke it; thread 0 is the loop
// itself, with callbacks, and with the turns, in which it asks the kernel and
// sleeps. The second has a thread for each connection that has no task while it is idle,
// by its descriptor. A counter says how many were ready at the end of each turn.
func WriteChrome(w io.Writer, recordings ...*Recording) error {
	out := &chromeWriter{w: bufio.NewWriter(w)}
	out.w.WriteString(`{"displayTimeUnit":"ns","traceEvents":[`)
	if len(recordings) > 0 {
		first := slices.MinFunc(recordings, func(a, b *Recording) int { return a.Start.Compare(b.Start) })
		for _, r := range recordings {
			out.recording(r, r.Start.Sub(first.Start))
		}
	}
	out.w.WriteString("\n]}\n")
	return out.w.Flush()
}

// A chromeWriter writes events, separated by commas.
type chromeWriter struct {
	w     *bufio.Writer
	any   bool
	flows int
	buf   []byte
}

// An event is one of the format's. Times are in nanoseconds.
type event struct {
	name     string
	phase    byte
	pid, tid int
	at, took int64
	flow     int
	args     []arg
}

type arg struct{ key, text string }

func (out *chromeWriter) recording(r *Recording, offset time.Duration) {
	t := translator{r: r, offset: int64(offset), out: out, pid: 2*r.Loop - 1, tracks: make(map[track]*state)}
	t.all()
	t.metadata()
	slices.SortStableFunc(t.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for i := range t.events {
		out.event(&t.events[i])
	}
}

// event writes e. Times are microseconds there, so they have three places.
func (out *chromeWriter) event(e *event) {
	b := out.buf[:0]
	if out.any {
		b = append(b, ',')
	}
	out.any = true
	b = append(b, "\n{\"name\":"...)
	b = appendText(b, e.name)
	b = append(b, `,"ph":"`...)
	b = append(b, e.phase, '"')
	b = appendNumber(b, "pid", int64(e.pid))
	b = appendNumber(b, "tid", int64(e.tid))
	if e.phase != 'M' {
		b = appendMicros(b, "ts", e.at)
	}
	switch e.phase {
	case 'X':
		b = appendMicros(b, "dur", e.took)
	case 'i':
		b = append(b, `,"s":"t"`...)
	case 's', 'f':
		b = append(b, `,"cat":"wake"`...)
		b = appendNumber(b, "id", int64(e.flow))
		if e.phase == 'f' {
			b = append(b, `,"bp":"e"`...)
		}
	}
	if len(e.args) > 0 {
		b = append(b, `,"args":{`...)
		for i, a := range e.args {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, a.key)
			b = append(b, ':')
			if e.phase == 'C' {
				b = append(b, a.text...)
			} else {
				b = appendText(b, a.text)
			}
		}
		b = append(b, '}')
	}
	b = append(b, '}')
	out.w.Write(b)
	out.buf = b
}

func appendNumber(b []byte, key string, n int64) []byte {
	b = append(b, `,"`...)
	b = append(b, key...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, n, 10)
}

func appendMicros(b []byte, key string, ns int64) []byte {
	b = appendNumber(b, key, ns/1000)
	rest := ns % 1000
	return append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

func appendText(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always can be
	return append(b, quoted...)
}
