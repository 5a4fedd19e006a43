package reactor

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Guest is a loop that is driven by another main loop, turn by turn, for
// instance that of a window system. Its methods must be called on the goroutine
// that called [Begin], which stays locked to its thread until End has returned;
// between calls it may use the loop like a callback. (trio's guest mode;
// asyncio's run_forever and stop.)
type Guest struct {
	_    noCopy
	loop *Loop
	over bool
}

// Begin makes a loop with main as its first task, like [Run], but runs nothing
// yet: Turn, Run and End do. It returns the errors that Run returns before it
// calls main. End must be called eventually.
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
	first := Go(l.core.Root(), main)
	if o.Name != "" {
		first.SetName(o.Name)
	}
	l.core.Start(ctx, first.record())
	return &Guest{loop: l}, nil
}

// Loop returns the guest's loop. It may be called from anywhere.
func (g *Guest) Loop() *Loop { return g.loop }

// Turn takes one turn of the loop. If nothing is ready it sleeps for at most
// the given time; 0 means that it does not sleep. It reports whether there is
// more to do, now or later; if not, call End for the result. Turn reports no
// deadlock, unless it would sleep forever: between turns the host can wake
// waiting tasks.
func (g *Guest) Turn(sleep time.Duration) (more bool) { return g.enter("Turn").TakeTurn(sleep) }

// Run runs the loop until [Loop.Stop] is called or there is nothing more to do.
// It reports whether it was stopped; if not, call End for the result. It may be
// called again.
func (g *Guest) Run() (stopped bool) { return g.enter("Run").RunUntilStopped() }

// End ends the loop as [Run] does after main has returned. It cancels main too
// if that still runs, and returns what Run would. A second End returns
// [ErrLoopClosed].
func (g *Guest) End() error {
	if g.over {
		return ErrLoopClosed
	}
	g.enter("End").CancelMain()
	return g.finish()
}

// enter returns the loop for the caller to run. It panics if the loop runs
// already, or belongs to another goroutine.
func (g *Guest) enter(op string) *core.Loop {
	l := &g.loop.core
	if !g.over && !l.IsHost() {
		panic("reactor: Guest." + op + " called inside the loop, or on another goroutine than Begin: only the goroutine that called Begin may drive the loop, outside tasks and callbacks")
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
