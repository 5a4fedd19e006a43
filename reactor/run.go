package reactor

import (
	"context"
	"log/slog"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
)

// Options configure a loop. [Run] uses the zero Options.
type Options struct {
	// Name is the name of the loop's first task, and with it of the loop, in reports
	// and in package inspect. "" means that of its function.
	Name string

	// Logger logs the loop's reports: errors that were not awaited, panics of
	// callbacks, tasks that did not stop. nil means slog.Default(). It is
	// called on a goroutine of its own: see [Loop.Logger].
	Logger *slog.Logger

	// OnError, if set, gets those reports instead. It is called on the loop's
	// thread, and must neither suspend nor call runtime.Goexit, as t.Fatal does. If
	// it panics, the loop ends, and Run returns a [*PanicError].
	OnError func(Report)

	// SlowStep makes the loop report tasks and callbacks that keep the thread
	// for longer than this between two suspensions, and so delay all others. It
	// costs two readings of the clock for each step. 0 means no reports.
	SlowStep time.Duration

	// BlockedAfter is how long one task or callback may keep the thread before
	// that is reported, with its stack, while it still does; another report
	// follows when it ends. A task that computes, or waits for a goroutine by a
	// channel or a lock, blocks all others. A goroutine outside the loop
	// watches it; a report may be late by half the time. 0 means a second, or
	// never if Clock is set; negative means never. It applies while Run or
	// Guest.End runs the loop.
	BlockedAfter time.Duration

	// OnBlocked, if set, gets the reports of BlockedAfter instead of Logger. It
	// is called on another goroutine than the loop's, and must not wait for the
	// loop.
	OnBlocked func(Report)

	// Debug makes the loop, and packages built on it, check for mistakes, at
	// some cost: using memory that was lent until the next suspension panics
	// after it (see core.InnerFD.Scratch and net's Borrow), and SlowStep is a
	// tenth of a second unless it is set. The environment variable EDDYDEBUG=1
	// does the same for all loops. (asyncio's debug mode.)
	Debug bool

	// Record makes the loop record what happens, as a flight recorder does, in at most
	// so many bytes: tasks that are made, run, wait, are woken and end, what the kernel
	// reports, turns, and calls from other goroutines. Each is 16 bytes, and what is
	// older than fits is overwritten. See [WriteTrace]. A message that wakes a task
	// takes about a hundred instructions more then. 0 means what the environment
	// variable EDDYRECORD says, a number of MiB, or else no recorder; negative means
	// none.
	Record int

	// TaskLabels gives the goroutine of each task the pprof label "task" while the task
	// runs on it, so that a CPU profile can be split by task and delve names goroutines:
	// its value is the name that the task has when it begins or gives itself, or else that
	// of its function. The label is part of the task's ctx. A task then takes more time
	// and memory to begin, but a message costs nothing more, except that ServeReady makes
	// a task for each run. The environment variable EDDYTASKLABELS=1 does the same for all
	// loops.
	TaskLabels bool

	// Grace is how long Run waits, once main has returned and all other tasks
	// are cancelled, before it cuts off those that have not stopped. 0 means
	// ten seconds, twice the default of net.Server; negative means no time.
	Grace time.Duration

	// MaxThreads is the most goroutines that ToThread runs at a time; further
	// calls wait their turn. 0 means 256.
	MaxThreads int

	// Clock, Poller and Sockets replace the system's clock, the kernel's poll
	// call and its socket calls, for tests. nil means the real ones. The loop
	// closes the poller.
	Clock   Clock
	Poller  Poller
	Sockets sockets.Calls

	// Simulation is set by package reactortest. It makes the loop a simulated
	// one, and replaces Clock, Poller and Sockets.
	Simulation simulation.Simulator
}

// Run runs main as the first task of a new loop and returns its error. It is
// the bridge from ordinary Go into a loop, like asyncio.run.
//
// The calling goroutine runs the loop until Run returns, and is locked to its
// thread meanwhile. When main has returned, Run cancels all remaining tasks,
// waits for them, and closes the loop: none of its goroutines, fds and timers
// outlives Run. A task that does not stop is logged and cut off after a grace
// time (see [Options]).
//
// When ctx is done, main and all tasks below it are cancelled. If ctx is done
// already, Run returns its error without calling main.
//
// Besides main's own error, Run returns a [PanicError] if a task panicked and
// was not awaited, and a [DeadlockError] if no task can ever run again. If main
// calls runtime.Goexit, as a test's FailNow does, Run cleans up and then exits
// the calling goroutine too. Elsewhere a Goexit ends only the task or callback
// that called it: the task fails with a [PanicError] of [ErrGoexit], an error
// like others. If a task of another loop calls Run on its thread, Run returns
// [ErrNested].
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

// A Poller reports which fds are ready. A loop uses [eddy.Poller], the
// kernel's, unless its [Options] have another.
type Poller interface {
	Add(fd int, token uint64) error
	Remove(fd int) error
	Wait(timeout time.Duration) ([]eddy.Event, error)
	Wake() error
	Close() error
}
