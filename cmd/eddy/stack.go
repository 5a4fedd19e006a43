package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// stack prints where a task is. If the loop is not said it is the first that has it.
func stack(ctx context.Context, t *target, out io.Writer, loopID, taskID uint64) error {
	if loopID == 0 {
		s, err := t.snapshot(ctx)
		if err != nil {
			return err
		}
		for _, l := range s.Loops {
			if loopID == 0 && l.task(taskID) != nil {
				loopID = l.ID
			}
		}
		if loopID == 0 {
			return fmt.Errorf("no loop of %s has a task %d", t.address, taskID)
		}
	}
	query := url.Values{"loop": {strconv.FormatUint(loopID, 10)}, "task": {strconv.FormatUint(taskID, 10)}}
	body, err := t.get(ctx, "stack?"+query.Encode(), "text/plain", time.Minute)
	if err != nil {
		return err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return t.unreachable(err)
	}
	_, err = fmt.Fprintln(out, strings.TrimRight(lines(string(text)), "\n"))
	return err
}

// trace copies what happened in the last seconds, or, if the process does not record,
// happens in those to come. It is no text, and so not for a terminal.
func trace(ctx context.Context, t *target, out io.Writer, seconds float64) error {
	if f, ok := out.(*os.File); ok && isTerminal(f) {
		return fmt.Errorf("%w: a trace is for a file: eddy trace >out", errUsage)
	}
	within := time.Minute + time.Duration(seconds*float64(time.Second))
	body, err := t.get(ctx, "trace?seconds="+strconv.FormatFloat(seconds, 'f', -1, 64), "application/json", within)
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(out, body); err != nil {
		return t.unreachable(err)
	}
	return nil
}
