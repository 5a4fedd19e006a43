package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// top shows the loops and the longest waits, again and again: on a terminal as a page
// that q ends, else one after the other. It ends after n times if n is positive.
func top(ctx context.Context, t *target, out io.Writer, every time.Duration, n int) error {
	f, ok := out.(*os.File)
	if !ok || !isTerminal(f) || !isTerminal(os.Stdin) {
		return topPlain(ctx, t, out, every, n)
	}
	s, err := t.snapshot(ctx) // before the terminal is changed, for most errors come here
	if err != nil {
		return err
	}
	screen, err := newScreen(os.Stdin, f)
	if err != nil {
		return err
	}
	defer screen.restore()
	quit := make(chan struct{})
	go func() { // until the program ends: a read of a terminal can't be interrupted
		var key [1]byte
		for {
			if n, err := os.Stdin.Read(key[:]); n == 0 || err != nil || key[0] == 'q' || key[0] == ctrlC {
				close(quit)
				return
			}
		}
	}()
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	for shown := 1; ; {
		screen.show(func(w io.Writer, height int) { s.top(w, height, err) })
		if n > 0 && shown >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-quit:
			return nil
		case <-resized:
			continue
		case <-time.After(every):
		}
		var next *snapshot
		if next, err = t.snapshot(ctx); err == nil { // else the last one stays, with the error
			s = next
			shown++
		}
	}
}

func topPlain(ctx context.Context, t *target, out io.Writer, every time.Duration, n int) error {
	for shown := 0; ; {
		s, err := t.snapshot(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var b strings.Builder
		s.top(&b, 40, nil)
		fmt.Fprintln(&b)
		if _, err := io.WriteString(out, b.String()); err != nil {
			return err
		}
		if shown++; shown == n {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// top prints a snapshot in at most height lines: each loop's health, then what is wrong,
// then which functions have most tasks, and the longest waits in what is left.
func (s *snapshot) top(out io.Writer, height int, failed error) {
	w := &limited{out: out, left: height}
	s.head(w)
	if failed != nil {
		fmt.Fprintln(w, "no answer any more:", plain(failed.Error()))
	}
	for _, l := range s.Loops {
		h := l.Health
		fmt.Fprintln(w)
		l.head(w)
		if h.measured() {
			fmt.Fprintf(w, "busy %s (1 min %s)  lag median %s, max %s  %s turns/s, %s steps/s\n", percent(h.Utilization.Last), percent(h.Utilization.Min),
				duration(h.Lag.Last.P50), duration(h.Lag.Last.Max), count(h.Turns), count(h.Steps))
		}
		fmt.Fprintf(w, "%s, %s, %s, %s\n", plural(h.FDs, "descriptor", "descriptors"), plural(h.Timers, "timer", "timers"),
			plural(h.Threads, "thread", "threads"), plural(h.Coroutines, "coroutine", "coroutines"))
		for _, v := range l.Servers {
			fmt.Fprintf(w, "server %s: %s, %s accepted, %s shed, %s expired, %s failed; %s read, %s written\n", plain(v.Address),
				plural(v.Connections, "connection", "connections"), count(v.Accepted), count(v.Shed), count(v.Expired), count(v.Failed), size(v.Read), size(v.Written))
		}
		for _, step := range l.Slow[:min(3, len(l.Slow))] {
			fmt.Fprintf(w, "slow: a step of %s took %s at %s\n", plain(step.Task), duration(step.Took), step.Time.Local().Format("15:04:05"))
		}
		for _, suspect := range l.Suspects[:min(3, len(l.Suspects))] {
			fmt.Fprintf(w, "suspect: task %d %s\n", suspect.Task, plain(suspect.Why))
		}
		for _, c := range l.Census[:min(5, len(l.Census))] {
			fmt.Fprintf(w, "%8s × %s (%s), %s at most\n", count(c.Count), plain(c.Func), shortPlace(c.Site), duration(c.Oldest))
		}
		tasks := l.byWait()
		l.table(w, tasks[:max(0, min(10, len(tasks), w.left-1))])
	}
}

// A limited writer passes on so many lines. A page that fills a terminal must not scroll
// it, so the last line's end is left to the screen.
type limited struct {
	out  io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if l.left <= 0 {
			break
		}
		if _, err := io.WriteString(l.out, line); err != nil {
			return 0, err
		}
		if strings.HasSuffix(line, "\n") {
			l.left--
		}
	}
	return len(p), nil
}
