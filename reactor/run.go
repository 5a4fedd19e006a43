package reactor

import (
	"context"
	"log/slog"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// Options are what can be chosen about a loop. The zero Options are those of
// [Run].
type Options struct {
	// Logger gets what no caller can be told: errors that nobody awaited,
	// panics of callbacks, tasks that did not stop. nil means slog.Default().
	// It is called on a goroutine of its own: see [Loop.Logger].
	Logger *slog.Logger

	// OnError, if set, gets those reports instead. It is called on the loop's
	// thread and must not suspend.
	OnError func(Report)

	// SlowStep makes the loop report tasks and callbacks that keep the thread
	// for longer than this between two suspensions, and so hold up all others.
	// It costs two looks at the clock for each step. 0 means no reports.
	SlowStep time.Duration

	// BlockedAfter is how long one task or callback may keep the thread before that
	// is reported while it goes on, with its stack, and reported again once it is
	// over: a task that waits for a goroutine by a channel or a lock, or computes,
	// stops all others. A goroutine outside the loop looks; a report may come half as
	// long again after the time. 0 means a second, or never if Clock is set; negative
	// means never. It holds while Run or Guest.End runs the loop.
	BlockedAfter time.Duration

	// OnBlocked, if set, gets the reports of BlockedAfter; else Logger does. It is
	// called on another goroutine than the loop's, and must not wait for the loop.
	OnBlocked func(Report)

	// Debug makes the loop, and what is built on it, look for mistakes at a cost:
	// memory that was lent until the next suspension can't be touched
	// after it (see core.InnerFD.Scratch and net's Borrow), and SlowStep is a tenth of a
	// second unless it is set. The environment variable EDDYDEBUG=1 does the
	// same for all loops. (asyncio's debug mode.)
	Debug bool

	// Grace is how long Run waits, once main has returned and all other tasks
	// are cancelled, before it cuts off those that have not stopped.
	// 0 means ten seconds, twice what a net.Server gives its connections; negative
	// means not at all.
	Grace time.Duration

	// MaxThreads bounds the goroutines that ToThread runs at a time; further
	// calls wait their turn. 0 means 256.
	MaxThreads int

	// Clock, Poller and Sockets replace the system's clock, the kernel's poll
	// call and its socket calls, for tests. nil means the real ones. The loop
	// closes the poller.
	Clock   Clock
	Poller  Poller
	Sockets sockets.Calls

	// Simulation is set by package reactortest. It makes the loop a simulated one,
	// and takes the place of Clock, Poller and Sockets.
	Simulation simulation.Simulator
}

// Run runs main as the first task of a new loop and returns what it returns.
// It is the bridge from ordinary Go into the loop, as asyncio.run is.
//
// The calling goroutine is the loop until Run returns, and is locked to its
// thread meanwhile. When main has returned, Run cancels all tasks that are
// left, waits for them, and closes the loop: no goroutine, fd or timer of it
// outlives Run. A task that does not stop is named in the log and cut off after
// a grace time (see [Options]).
//
// When ctx is done, main and all that descends from it are cancelled; a ctx
// that is done already is answered with its error, and main is not called.
//
// Besides main's own error, Run returns a [PanicError] when a task panicked
// and nobody awaited it, and a [DeadlockError] when no task can ever run again.
// If main calls runtime.Goexit, as a test's FailNow does, Run cleans up and then exits
// the calling goroutine too. Elsewhere it ends the task or the callback alone that called
// it: the task fails with a [PanicError] of [ErrGoexit], an error like others. A Run
// inside a task of another loop on the same thread is refused with [ErrNested].
func Run(ctx context.Context, main func(ctx context.Context) error) error {
	return Options{}.Run(ctx, main)
}

// Run is the function [Run] with these options.
func (o Options) Run(ctx context.Context, main func(ctx context.Context) error) error {
	g, err := o.Begin(ctx, main)
	if err != nil {
		return err
	}
	return g.finish()
}

// A Poller tells which fds are ready. [eddy.Poller], which asks the kernel, is
// the one that a loop uses unless its [Options] give another.
type Poller interface {
	Add(fd int, token uint64) error
	Remove(fd int) error
	Wait(timeout time.Duration) ([]eddy.Event, error)
	Wake() error
	Close() error
}
