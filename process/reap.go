package process

import (
	"context"
	"os"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// reap waits for the program's end and takes its status, so that it is no zombie.
// There is one for each program, and nobody else does it: until then the kernel
// gives its number to no other process.
//
// It goes on when its ctx is done, for the program does; only a detached program
// is left to itself at the loop's end.
func (c *Cmd) reap(ctx context.Context) (*os.ProcessState, error) {
	if !c.Detached {
		ctx = context.WithoutCancel(ctx)
	}
	reaped := false
	defer func() {
		if !reaped { // the loop has ended, or cuts this task off
			c.letGo()
		}
	}()
	state, err := c.awaitState(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	reaped = true
	c.ProcessState = state
	return state, err
}

// awaitState waits for an fd that tells the end, and on a thread where there is
// none. Once the end is told, os.Process.Wait does not block.
func (c *Cmd) awaitState(ctx context.Context) (*os.ProcessState, error) {
	if err := awaitExit(ctx, c.Process); err == nil {
		return c.Process.Wait()
	} else if ctx.Err() != nil {
		return nil, err
	}
	w := c.waitOnThread()
	if _, _, err := reactor.Receive(ctx, w.done); err != nil {
		return nil, err
	}
	return w.state, w.err
}

// A threadWait is a goroutine that is blocked in os.Process.Wait. It is none of
// reactor.ToThread's: those are few, and programs run for long. state and err are
// set before done is closed.
type threadWait struct {
	done  chan struct{}
	state *os.ProcessState
	err   error
}

// waitOnThread starts the goroutine, unless there is one.
func (c *Cmd) waitOnThread() *threadWait {
	if c.thread == nil {
		w := &threadWait{done: make(chan struct{})}
		c.thread = w
		go func() {
			w.state, w.err = c.Process.Wait()
			close(w.done)
		}()
	}
	return c.thread
}

// lastWait bounds how long the loop's end waits for what it has killed: a process
// in an uninterruptible sleep dies no sooner than that ends.
const lastWait = time.Second

// letGo ends what no task can await any longer: a detached program is left to a
// goroutine, any other one is killed.
func (c *Cmd) letGo() {
	w := c.waitOnThread()
	if c.Detached {
		return
	}
	c.Process.Kill()
	select {
	case <-w.done:
	case <-time.After(lastWait):
	}
}
