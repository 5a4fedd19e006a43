package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// ps lists the tasks of each loop, the longest wait first.
func ps(ctx context.Context, t *target, out io.Writer) error {
	return t.print(ctx, out, func(w io.Writer, l *loop) { l.table(w, l.byWait()) })
}

// print prints what the program says of itself, and of each loop, followed by what
// the function prints of it.
func (t *target) print(ctx context.Context, out io.Writer, rest func(w io.Writer, l *loop)) error {
	s, err := t.snapshot(ctx)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	s.head(w)
	for _, l := range s.Loops {
		fmt.Fprintln(w)
		l.head(w)
		rest(w, l)
	}
	return w.Flush()
}

// table prints tasks, one a line.
func (l *loop) table(out io.Writer, tasks []*task) {
	if len(tasks) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tSTATE\tSINCE\tWAITS FOR\tNAME\tFUNCTION AT")
	for _, t := range tasks {
		waitsFor := ""
		if t.State == "waiting" {
			waitsFor = plain(t.WaitsFor)
		}
		state := plain(t.State)
		if l.Standing != nil && l.Standing.Task == t.ID {
			state = "STANDS"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", t.ID, state, duration(t.Since), waitsFor, t.title(), shortPlace(t.Site))
	}
	w.Flush()
}
