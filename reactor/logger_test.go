package reactor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

// TestStuckLog: a log that is stuck, like a pipe without a reader, blocks
// neither the loop nor its end.
func TestStuckLog(t *testing.T) {
	defer testkit.LeakCheck(t)()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	const lines = 3000 // more than the pipe and the queue hold together
	o := Options{Logger: slog.New(slog.NewTextHandler(w, nil))}
	var l *Loop
	start := time.Now()
	err = o.Run(context.Background(), func(ctx context.Context) error {
		l = LoopOf(ctx)
		l.Logger(nil).Info("from a task")
		for range lines {
			Go(ctx, func(context.Context) error { return errors.New(strings.Repeat("z", 300)) })
		}
		yields(ctx, 3)
		return nil
	})
	if took := time.Since(start); err != nil || took < flushTime {
		t.Errorf("ended after %v with %v", took, err)
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	if !l.logs.Flush(time.Minute) {
		t.Error("the log is not written")
	}
	w.Close()
	text := <-read
	r.Close()
	if !strings.Contains(text, "records were dropped") || !strings.Contains(text, "from a task") || !strings.Contains(text, "zzz") {
		t.Errorf("the log has %d bytes, and does not say that it is not whole", len(text))
	}
}

func TestLogger(t *testing.T) {
	j := new(journal)
	setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		if l.Logger(nil) != l.log {
			t.Error("not the loop's own")
		}
		other := new(journal)
		l.Logger(slog.New(other)).Info("hello", "n", 1)
		l.logs.Flush(time.Minute)
		if got := other.all(); len(got) != 1 || got[0] != "hello n=1" {
			t.Errorf("logged %q", got)
		}
		return nil
	})
	if n := len(j.all()); n != 0 {
		t.Errorf("logged %q", j.all())
	}
}
