package process

import (
	"context"
	"fmt"
	"os/exec"
)

// Wait waits for the program's end, and then for copying from Stdin and to
// Stdout and Stderr, for those that are neither nil nor files. It does not wait
// for the pipes of StdinPipe, StdoutPipe and StderrPipe, so it returns at the
// program's end even if a descendant still holds them.
//
// The error is that of [Cmd.Run], or ctx's if ctx is done first; then the
// program goes on. Any number of tasks may wait, any number of times.
func (c *Cmd) Wait(ctx context.Context) error {
	if c.reaper == nil {
		return errNotStarted
	}
	err := c.reaper.Wait(ctx)
	if _, own := c.reaper.Result(); err != own { // it is ctx's
		return err
	}
	if err := c.copies.await(ctx); err != nil {
		return err
	}
	return c.result()
}

// result returns the error that describes how the program ended: why it was
// asked to end, else its status, else the first error of copying.
func (c *Cmd) result() error {
	state, err := c.reaper.Result()
	switch {
	case err != nil:
		err = fmt.Errorf("process: the status of %s is lost: %w", c.name(), err)
	case !state.Success():
		err = &exec.ExitError{ProcessState: state}
	default:
		err = c.copies.err()
	}
	if c.cause != nil {
		return &stoppedError{c.cause, err}
	}
	return err
}
