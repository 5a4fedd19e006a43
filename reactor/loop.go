package reactor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/timerwheel"
)

// A Loop runs tasks on one thread: the goroutine that calls [Run], locked to
// its thread until Run returns. [LoopOf] gives the loop of a ctx.
type Loop struct {
	cur     *worker // who runs now
	running uintptr // the goroutine of cur; 0 before and after
	ready   readyQueue
	batch   int // how many of ready still belong to this turn
	wheel   timerwheel.Wheel[expirer]
	clock   Clock
	poller  Poller
	sim     *simulated // nil outside of simulations
	fds     fdTable
	sockets eddy.Sockets
	inbox   inbox

	host    *worker // the goroutine that called Run
	idle    *worker
	idlers  int
	workers []*worker
	dying   []*worker

	root     scope // of main and all that descends from it
	detached scope // of tasks made under a ctx that the loop does not cancel
	shielded scope // of awaits under such a ctx
	main     *task
	live     int // tasks made and not ended
	lastID   uint32

	// What may still wake a task when nothing is ready and no timer runs.
	ioWaits   int          // tasks and callbacks that wait for an fd
	threads   int          // goroutines started by ToThread
	outsiders int          // foreign contexts followed
	holds     atomic.Int64 // in force; see Hold
	warned    bool         // that only the end of Run's ctx can wake a task

	watchers [2]map[int]*watcher // of AddReader and AddWriter, by fd
	signals  map[*signalHandler]struct{}

	generators []*body
	scratch    scratch // for all its FDs
	locals     locals

	threadQueue waitList // tasks that wait for a thread
	maxThreads  int
	panicked    []*task
	failure     error // why the loop ends before main did
	closing     bool  // main has returned
	lastTurns   int   // turns taken for callbacks alone, since all tasks are over
	cutting     bool  // the grace time is over
	abandoned   bool  // some tasks can't even be cut off
	goexit      bool  // a task called runtime.Goexit, and so shall Run
	grace       time.Duration
	closer      timerwheel.Timer[expirer]

	// How a Guest holds the loop back; see paused.
	alone    bool          // there is no guest: nobody may stop the loop
	stopped  bool          // Stop was called
	turned   bool          // Guest.Run has taken a turn
	turns    int           // how many turns are left; negative: any number
	maxSleep time.Duration // how long a turn may sleep

	watched bool          // somebody wants to know of each step
	slow    time.Duration // steps that take longer are reported; 0: none
	step    step
	onError func(Report)

	labelled atomic.Bool // a ctx may have pprof labels
	thread   uint64
	finished atomic.Bool
	log      *slog.Logger
	wall     time.Time
	wallAt   int64
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

// Options are what can be chosen about a loop. The zero Options are those of
// [Run].
type Options struct {
	// Logger gets what no caller can be told: errors that nobody awaited,
	// panics of callbacks, tasks that did not stop. nil means slog.Default().
	Logger *slog.Logger

	// OnError, if set, gets those reports instead. It is called on the loop's
	// thread and must not suspend.
	OnError func(Report)

	// SlowStep makes the loop report tasks and callbacks that keep the thread
	// for longer than this between two suspensions, and so hold up all others.
	// It costs two looks at the clock for each step. 0 means no reports.
	SlowStep time.Duration

	// Debug makes the loop, and what is built on it, look for mistakes at a cost:
	// memory that was lent until the next suspension can't be touched
	// after it (see FD.Scratch and net's Borrow), and SlowStep is a tenth of a
	// second unless it is set. The environment variable EDDYDEBUG=1 does the
	// same for all loops. (asyncio's debug mode.)
	Debug bool

	// Grace is how long Run waits, once main has returned and all other tasks
	// are cancelled, before it cuts off those that have not stopped.
	// 0 means ten seconds, twice what a net.Server gives its connections; negative
	// means for ever.
	Grace time.Duration

	// MaxThreads bounds the goroutines that ToThread runs at a time; further
	// calls wait their turn. 0 means 256.
	MaxThreads int

	// Clock, Poller and Sockets replace the system's clock, the kernel's poll
	// call and its socket calls, for tests. nil means the real ones. The loop
	// closes the poller.
	Clock   Clock
	Poller  Poller
	Sockets eddy.Sockets

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
// If a task calls runtime.Goexit, as a test's FailNow does, Run cleans up and
// then exits the calling goroutine too. A Run inside a task of another loop on
// the same thread is refused with [ErrNested].
func Run(ctx context.Context, main func(ctx context.Context) error) error {
	return Options{}.Run(ctx, main)
}

// ErrNested is returned by a Run that is called by a task: it would stop the
// task's own loop. For errors.Is it is also the error of a Run or [Begin] that is
// called by a callback, or on the goroutine of a [Guest].
var ErrNested = errors.New("reactor: Run called inside a task: call the function directly, or make it a task with reactor.Go")

// nestedError is an ErrNested of a caller that is no task.
type nestedError string

func (e nestedError) Error() string        { return string(e) }
func (e nestedError) Is(target error) bool { return target == ErrNested }

const (
	errNestedInCallback = nestedError("reactor: Run or Begin called inside a callback: call the function directly, or make it a task with reactor.Go")
	errNestedOnHost     = nestedError("reactor: Run or Begin called on a goroutine that drives a Guest: call Guest.End first, or use another goroutine")
)

// Run is as the function [Run], with a loop made to these options.
func (o Options) Run(ctx context.Context, main func(ctx context.Context) error) error {
	g, err := o.Begin(ctx, main)
	if err != nil {
		return err
	}
	return g.finish()
}

// loops holds the threads on which a loop runs, and the loop, so that none runs
// inside another.
var loops sync.Map

func newLoop(ctx context.Context, o Options) (*Loop, error) {
	l := &Loop{
		clock: o.Clock, poller: o.Poller, sockets: o.Sockets, log: o.Logger,
		grace: o.Grace, maxThreads: o.MaxThreads, thread: threadID(),
		turns: -1, maxSleep: maxTime, slow: o.SlowStep, onError: o.OnError,
	}
	if o.Debug || os.Getenv("EDDYDEBUG") == "1" {
		l.debug()
	}
	if o.Simulation != nil {
		l.simulate(ctx, o.Simulation)
	}
	if l.clock == nil {
		l.clock = monotonic{time.Now()}
	}
	if l.poller == nil {
		p, err := eddy.NewPoller()
		if err != nil {
			return nil, err
		}
		l.poller = p
	}
	if l.sockets == nil {
		l.sockets = eddy.System{}
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if l.grace == 0 {
		l.grace = 10 * time.Second
	}
	if l.maxThreads <= 0 {
		l.maxThreads = 256
	}
	for _, s := range []*scope{&l.root, &l.detached, &l.shielded} {
		s.loop, s.parent = l, ctx
	}
	l.noteLabels(ctx)
	l.closer.Value = (*closer)(l)
	l.inbox.poller = l.poller
	if m, ok := l.clock.(monotonic); ok {
		l.wall = m.base // exactly: a deadline a nanosecond ago has passed
	} else {
		l.wall, l.wallAt = time.Now(), l.now()
	}
	l.watched = l.slow > 0 || l.sim != nil
	l.host = &worker{loop: l, self: coro.Self(), state: running}
	l.cur, l.running = l.host, l.host.self
	l.enroll()
	return l, nil
}

// successor says who runs after the worker that gives up the thread. nil is the
// host. A turn for which the kernel need not be asked is taken on the spot.
func (l *Loop) successor() runnable {
	if r := l.pick(); r != nil || l.ready.n == 0 || l.fds.n > 0 {
		return r
	}
	return l.next()
}

// next says who runs after the host, and takes turns until somebody can. nil is
// nobody: there is no more to do.
func (l *Loop) next() runnable {
	for {
		if r := l.pick(); r != nil {
			return r
		}
		if l.live == 0 {
			l.lastTurn()
		}
		if l.isOver() && (l.abandoned || !l.closeGenerators()) || l.paused() {
			return nil
		}
		if l.sim == nil {
			l.turn()
		} else {
			l.simulatedTurn()
		}
		l.batch = l.ready.n
	}
}

// pick takes the first of those in the queue who belong to this turn; nil if
// there is none.
func (l *Loop) pick() runnable {
	if l.watched {
		l.endStep()
	}
	for l.batch > 0 {
		l.batch--
		r := l.ready.pop()
		if h, ok := r.(*Handle); ok && h.fn == nil {
			continue // cancelled
		}
		if l.watched {
			l.beginStep(r)
		}
		return r
	}
	return nil
}

// isOver says whether there is nothing left to run.
func (l *Loop) isOver() bool {
	return l.abandoned || l.live == 0 && l.threads == 0 && (l.ready.n == 0 || l.noMoreTurns())
}

// turn looks at the kernel, at what other goroutines posted, and at the timers,
// and readies whoever is to run. When nobody is ready it sleeps.
func (l *Loop) turn() {
	switch timeout := l.patience(); {
	case timeout != 0:
		l.inbox.sleep()
		if l.inbox.empty() {
			l.poll(timeout)
		}
		l.inbox.awake()
	case l.fds.n > 0:
		l.poll(0)
	}
	l.inbox.drain()
	if l.wheel.Len() > 0 {
		now := l.now()
		for t := l.wheel.Pop(now); t != nil; t = l.wheel.Pop(now) {
			t.Value.expire()
		}
	}
}

// patience returns how long the loop may sleep: 0 for not at all, negative for
// as long as it takes.
func (l *Loop) patience() time.Duration {
	if l.ready.n > 0 || l.stopped {
		return 0
	}
	if when, ok := l.wheel.Next(); ok {
		return min(time.Duration(max(0, when-l.now())), l.maxSleep)
	}
	if !l.inbox.empty() || l.deadlocked() {
		return 0
	}
	if l.maxSleep < maxTime {
		return l.maxSleep
	}
	return -1
}

func (l *Loop) poll(timeout time.Duration) {
	events, err := l.poller.Wait(timeout)
	if err == simulation.ErrIdle {
		if !l.hosted() {
			l.deadlock()
		}
		return
	}
	if err != nil {
		l.fail(err)
		l.giveUp()
		return
	}
	for _, e := range events {
		l.fds.dispatch(e)
	}
}

// fail ends the loop before main does: main is cancelled, and Run returns err.
func (l *Loop) fail(err error) {
	if l.failure == nil {
		l.failure = err
		l.root.cancel(because(err))
	}
}

// LoopOf returns the loop that ctx belongs to, or nil when ctx is not a task's
// nor derived from one. It has no effect on the loop, and may be called from
// anywhere. A program whose goroutines wake tasks by Post needs [Loop.Hold] too.
func LoopOf(ctx context.Context) *Loop {
	s := nearest(ctx)
	if s == nil {
		return nil
	}
	return s.loop
}

// Now returns the loop's time, the clock that its timers go by. It starts near
// zero and never goes backwards. It may be called from anywhere, if the Clock
// may.
func (l *Loop) Now() time.Duration { return l.clock.Now() }
