package logqueue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stuck handler blocks until it is released.
type stuck struct {
	release chan struct{}
	entered chan struct{} // closed when the first record has come
	once    sync.Once
	mu      sync.Mutex
	lines   []string
}

func newStuck() *stuck {
	return &stuck{release: make(chan struct{}), entered: make(chan struct{})}
}

func (h *stuck) Enabled(context.Context, slog.Level) bool { return true }
func (h *stuck) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *stuck) WithGroup(string) slog.Handler            { return h }

func (h *stuck) Handle(_ context.Context, r slog.Record) error {
	h.once.Do(func() { close(h.entered) })
	<-h.release
	h.mu.Lock()
	defer h.mu.Unlock()
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	h.lines = append(h.lines, line)
	return nil
}

// TestStuckLog: logging never waits; records without room are counted, and
// reported in their place.
func TestStuckLog(t *testing.T) {
	var q Queue
	h := newStuck()
	log := slog.New(q.Handler(h))
	log.Info("first")
	<-h.entered // the writer has taken it, and waits
	const lost = 7
	for i := range Max + lost {
		log.Info(fmt.Sprint(i))
	}
	if q.Flush(time.Millisecond) {
		t.Error("Flush did not wait for the log")
	}
	close(h.release)
	if !q.Flush(20 * time.Second) {
		t.Fatal("the log is not written")
	}
	log.Info("last")
	if !q.Flush(20 * time.Second) {
		t.Fatal("the log is not written")
	}
	want := []string{"first"}
	for i := range Max {
		want = append(want, fmt.Sprint(i))
	}
	want = append(want, fmt.Sprintf("reactor: records were dropped: the log is too slow records=%d", lost), "last")
	if got := strings.Join(h.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("%d lines, want %d; the last are %q", len(h.lines), len(want), h.lines[max(0, len(h.lines)-3):])
	}
}

// TestEverybodyLogs: no queued record is lost, and each goroutine's records
// stay in order.
func TestEverybodyLogs(t *testing.T) {
	var q Queue
	var b bytes.Buffer
	log := slog.New(q.Handler(slog.NewTextHandler(&b, nil)))
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 100 {
				log.Info("it", "who", g, "n", i)
			}
		})
	}
	all.Wait()
	if !q.Flush(20 * time.Second) {
		t.Fatal("the log is not written")
	}
	next := make([]int, 8)
	for line := range strings.Lines(b.String()) {
		var who, n int
		if _, err := fmt.Sscanf(line[strings.Index(line, "who="):], "who=%d n=%d", &who, &n); err != nil || n != next[who] {
			t.Fatalf("%q, %v; want number %d", line, err, next[who])
		}
		next[who]++
	}
	for g, n := range next {
		if n != 100 {
			t.Errorf("%d of goroutine %d's lines", n, g)
		}
	}
}

type changing struct{ text string }

func (c *changing) Error() string { return c.text }

type lazy struct{ *changing }

func (l lazy) LogValue() slog.Value { return slog.StringValue(l.text) }

type broken struct{}

func (*broken) Error() string { panic("no text") }

// TestValuesAreFixed: a record's values are those at the time it was logged.
func TestValuesAreFixed(t *testing.T) {
	var q Queue
	h := newStuck()
	log := slog.New(q.Handler(h))
	c := &changing{"before"}
	log.Info("it", "error", c, "value", lazy{c}, slog.Group("g", "error", c), "bad", (*broken)(nil))
	c.text = "after"
	close(h.release)
	q.Flush(20 * time.Second)
	if got := strings.Join(h.lines, "|"); got != "it error=before value=before g=[error=before] bad=!PANIC in Error" {
		t.Errorf("got %q", got)
	}
	err := errors.New("inner")
	if v := freeze(slog.Any("error", fmt.Errorf("outer: %w", err))); !errors.Is(v.Value.Any().(error), err) {
		t.Error("an error is none any more")
	}
}

// TestAttrsAndGroups: a logger with attributes and groups writes the same as
// without a queue.
func TestAttrsAndGroups(t *testing.T) {
	var q Queue
	var direct, queued bytes.Buffer
	untimed := &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	for _, log := range []*slog.Logger{
		slog.New(slog.NewTextHandler(&direct, untimed)),
		slog.New(q.Handler(slog.NewTextHandler(&queued, untimed))),
	} {
		log = log.With("a", 1).WithGroup("g").With("error", errors.New("no"))
		log.Warn("it", "b", 2)
		log.Info("nothing")
	}
	q.Flush(20 * time.Second)
	if direct.String() != queued.String() || direct.Len() == 0 {
		t.Errorf("got %q, want %q", &queued, &direct)
	}
}
