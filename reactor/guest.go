package reactor

import (
	"context"
	"errors"
	"runtime"
	"time"
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

// Begin is as the function [Begin], with a loop made to these options.
func (o Options) Begin(ctx context.Context, main func(ctx context.Context) error) (*Guest, error) {
	switch {
	case main == nil:
		return nil, errors.New("reactor: Run with a nil main function")
	case ctx == nil:
		return nil, errors.New("reactor: Run with a nil ctx: use context.Background()")
	case ctx.Err() != nil:
		return nil, reasonOf(ctx).await
	case o.Clock == nil && inBubble():
		return nil, ErrBubble
	}
	runtime.LockOSThread()
	l, err := lodge(ctx, o)
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	l.root.follow(ctx)
	l.main = &Go(&l.root, main).task
	return &Guest{loop: l}, nil
}

// lodge makes a loop on the calling thread, unless there is one.
func lodge(ctx context.Context, o Options) (*Loop, error) {
	thread := threadID()
	if there, nested := loops.LoadOrStore(thread, (*Loop)(nil)); nested {
		return nil, there.(*Loop).nested()
	}
	l, err := newLoop(ctx, o)
	if err != nil {
		loops.Delete(thread)
		return nil, err
	}
	loops.Store(thread, l)
	return l, nil
}

// nested returns the error of a Run on the thread of l, which is nil while it is
// being made. What it reads is the calling thread's own.
func (l *Loop) nested() error {
	switch {
	case l == nil || l.cur.task != nil:
		return ErrNested
	case l.cur == l.host:
		return errNestedOnHost
	default:
		return errNestedInCallback
	}
}

// hosted reports whether a host gets the thread back after the present turn: it
// may then wake tasks itself.
func (l *Loop) hosted() bool { return l.stopped || l.turns >= 0 && l.maxSleep < maxTime }

// Loop returns the guest's loop. It may be called from anywhere.
func (g *Guest) Loop() *Loop { return g.loop }

// Turn takes one turn of the loop, and sleeps in it, if nothing is ready, for at
// most the given time, 0 for not at all. It reports whether there is more to do,
// now or later; when there is not, End has the result. Turn reports no deadlock,
// unless it is to sleep for ever: between turns the host can wake the tasks that
// wait.
func (g *Guest) Turn(sleep time.Duration) (more bool) {
	l := g.enter("Turn")
	l.turns, l.maxSleep = 1, max(0, sleep)
	l.drive()
	l.turns, l.maxSleep = -1, maxTime
	return !l.isOver()
}

// Run runs the loop until [Loop.Stop] is called, and says whether it was: else
// there is nothing more to do, and End has the result. It may be called again.
func (g *Guest) Run() (stopped bool) {
	l := g.enter("Run")
	l.turned = false
	l.drive()
	stopped = l.stopped
	l.stopped = false
	return stopped
}

// Stop makes Guest.Run return when the tasks and callbacks that are ready now
// have run. Before a Run, it makes that return after one turn. It may be called
// where CallSoon may, and does nothing to a loop in [Run].
func (l *Loop) Stop() {
	l.onLoop("Loop.Stop")
	l.stopped = !l.alone
}

// End ends the loop as the end of main does in [Run], cancelling main too if it
// still runs, and returns what Run would. A second End returns [ErrLoopClosed].
func (g *Guest) End() error {
	if g.over {
		return ErrLoopClosed
	}
	if l := g.enter("End"); !l.main.over {
		l.root.cancel(reasonCanceled)
	}
	return g.finish()
}

// enter returns the loop, which now runs on behalf of the caller. It panics if
// the loop runs already, or is another goroutine's.
func (g *Guest) enter(op string) *Loop {
	l := g.loop
	if !g.over && !(l.onThread() && l.cur == l.host) {
		panic("reactor: Guest." + op + " inside the loop, or on another goroutine than the one that called Begin: only that one, outside of tasks and callbacks, may drive it")
	}
	return l
}

// finish runs the loop to its end and frees all that it holds.
func (g *Guest) finish() error {
	l := g.loop
	g.over = true
	defer runtime.UnlockOSThread()
	defer loops.Delete(l.thread)
	defer l.close()
	l.alone, l.stopped = true, false
	l.drive()
	return l.result()
}

// paused says whether the host is to get the thread back although there is more
// to do.
func (l *Loop) paused() bool {
	if l.turns > 0 {
		l.turns--
		return false
	}
	if l.turns == 0 {
		return true
	}
	pause := l.stopped && l.turned
	l.turned = true
	return pause
}
