package process

import (
	"context"
	"os"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// reap waits for the program's end and takes its status, so that no zombie is
// left. Each program has one reap, and nothing else takes its status: until
// then the kernel does not reuse its number.
//
// It goes on when its ctx is done, because the program does, unless the program
// is detached: that is left alone at the loop's end.
func (c *Cmd) reap(ctx context.Context) (*os.ProcessState, error) {
	if !c.Detached {
		ctx = context.WithoutCancel(ctx)
	}
	reaped := false
	defer func() {
		if !reaped { // the loop has ended, or abandons this task
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

// awaitState waits on a descriptor that reports the end, or on a thread where
// there is none. Once the end is reported, os.Process.Wait does not block.
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

// A threadWait is a goroutine that is blocked in os.Process.Wait. It does not
// use reactor.ToThread, whose threads are few, because programs run for long.
// state and err are set before done is closed.
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

// lastWait bounds how long the loop's end waits for a process that it has
// killed: one in an uninterruptible sleep dies only when that ends.
const lastWait = time.Second

// letGo handles a program that no task can wait for any more: a goroutine reaps
// it if it is detached, and else it is killed.
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
