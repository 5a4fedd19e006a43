package process

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

const defaultGrace = 3 * time.Second

// supervise ends the program, and copying, when ctx is done.
func (c *Cmd) supervise(ctx context.Context) error {
	if err := c.reaper.Wait(ctx); !c.reaper.Finished() && !c.Detached {
		c.cause = err
		c.end(context.WithoutCancel(ctx))
	}
	c.copies.stopInput()
	if err := c.copies.await(ctx); err != nil {
		if c.cause == nil {
			c.cause = err
		}
		c.copies.stop()
	}
	return nil
}

// end asks the program to end, and kills it after Grace.
func (c *Cmd) end(ctx context.Context) {
	grace := c.Grace
	if grace == 0 {
		grace = defaultGrace
	}
	switch err := c.ask(); {
	case err != nil && !errors.Is(err, os.ErrProcessDone):
	case grace > 0:
		reactor.Timeout(ctx, grace, c.reaper.Wait)
	}
	if !c.reaper.Finished() {
		c.Process.Kill()
		c.reaper.Wait(ctx)
	}
}

func (c *Cmd) ask() error {
	if c.Cancel != nil {
		return c.Cancel()
	}
	return c.Process.Signal(syscall.SIGTERM)
}

// A stoppedError is the error of a program that was asked to end, or whose
// output was cut short, because a ctx was done. It unwraps only to the cause,
// so that a Group recognizes the cancellation; errors.Is and errors.As find the
// exit too.
type stoppedError struct{ cause, exit error }

func (e *stoppedError) Error() string {
	if e.exit == nil {
		return e.cause.Error()
	}
	return e.cause.Error() + " (" + e.exit.Error() + ")"
}

func (e *stoppedError) Unwrap() error        { return e.cause }
func (e *stoppedError) Is(target error) bool { return errors.Is(e.exit, target) }
func (e *stoppedError) As(target any) bool   { return e.exit != nil && errors.As(e.exit, target) }
