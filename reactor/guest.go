package reactor

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Guest is a loop that somebody else's main loop drives, turn by turn, as a
// program does that must give its thread to a window system. Its methods are for
// the goroutine that called [Begin], which stays locked to its thread until End
// has returned; between them it may use the loop as a callback does. (trio's
// guest mode; asyncio's run_forever and stop.)
type Guest struct {
	_    noCopy
	loop *Loop
	over bool
}

// Begin makes a loop with main as its first task, as [Run] does, and runs
// nothing yet: that is for Turn, Run and End. The errors are those of Run that
// come before main is called. End must be called in the end.
func Begin(ctx context.Context, main func(ctx context.Context) error) (*Guest, error) {
	return Options{}.Begin(ctx, main)
}

// Begin is the function [Begin] with these options.
func (o Options) Begin(ctx context.Context, main func(ctx context.Context) error) (*Guest, error) {
	switch {
	case main == nil:
		return nil, errors.New("reactor: Run with a nil main function")
	case ctx == nil:
		return nil, errors.New("reactor: Run with a nil ctx: use context.Background()")
	case o.Clock == nil && core.InBubble():
		return nil, ErrBubble
	}
	runtime.LockOSThread()
	l, err := newLoop(ctx, o)
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	l.core.Start(ctx, Go(l.core.Root(), main).record())
	return &Guest{loop: l}, nil
}

// Loop returns the guest's loop. It may be called from anywhere.
func (g *Guest) Loop() *Loop { return g.loop }

// Turn takes one turn of the loop, and sleeps in it, if nothing is ready, for at
// most the given time, 0 for not at all. It reports whether there is more to do,
// now or later; when there is not, End has the result. Turn reports no deadlock,
// unless it is to sleep for ever: between turns the host can wake the tasks that
// wait.
func (g *Guest) Turn(sleep time.Duration) (more bool) { return g.enter("Turn").TakeTurn(sleep) }

// Run runs the loop until [Loop.Stop] is called, and reports whether it was: else
// there is nothing more to do, and End has the result. It may be called again.
func (g *Guest) Run() (stopped bool) { return g.enter("Run").RunUntilStopped() }

// End ends the loop as the end of main does in [Run], cancelling main too if it
// still runs, and returns what Run would. A second End returns [ErrLoopClosed].
func (g *Guest) End() error {
	if g.over {
		return ErrLoopClosed
	}
	g.enter("End").CancelMain()
	return g.finish()
}

// enter returns the loop, which now runs on behalf of the caller. It panics if
// the loop runs already, or is another goroutine's.
func (g *Guest) enter(op string) *core.Loop {
	l := &g.loop.core
	if !g.over && !l.IsHost() {
		panic("reactor: Guest." + op + " inside the loop, or on another goroutine than the one that called Begin: only that one, outside of tasks and callbacks, may drive it")
	}
	return l
}

// finish runs the loop to its end and frees all that it holds.
func (g *Guest) finish() error {
	g.over = true
	defer runtime.UnlockOSThread()
	defer g.loop.logs.Flush(flushTime)
	return g.loop.core.End()
}
