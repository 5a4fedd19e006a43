package reactor

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/logqueue"
	"github.com/eddyio/eddy/sockets"
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
	sockets sockets.Calls
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
	logs     logqueue.Queue
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

func (e nestedError) Error() string { return string(e) }

func (e nestedError) Is(target error) bool { return target == ErrNested }

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
		l.sockets = sockets.System{}
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	l.log = l.Logger(l.log)
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

// Time returns the loop's time, the clock that its timers go by. It starts near
// zero and never goes backwards. It may be called from anywhere, if the Clock
// may.
func (l *Loop) Time() time.Duration { return l.clock.Now() }
