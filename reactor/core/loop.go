package core

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/simulation"
	"github.com/eddyio/eddy/sockets"
	"github.com/eddyio/eddy/timerwheel"
)

// A Loop runs tasks on one thread: that of the goroutine that called Begin,
// which is locked to it until End has returned.
type Loop struct {
	facade  Facade
	cur     *Worker // the one that runs
	running uintptr // the goroutine of cur; 0 before and after
	thread  uint64
	number  uint64 // in the process
	title   atomic.Pointer[TaskName]
	schedule
	crew
	scopes
	outer
	ending
	guided
	observed
	exhibits exhibits
	fds      fdTable
	sockets  sockets.Calls
	sim      *simulated // nil outside of simulations
	scratch  scratch    // for all its FDs
	locals   map[any]any
	labelled atomic.Bool // a ctx may have pprof labels
	annotations
}

// schedule holds what runs next, and when.
type schedule struct {
	ready  readyQueue
	batch  int // entries of ready that still belong to this turn
	wheel  timerwheel.Wheel[Expirer]
	clock  Clock
	turnAt int64     // when the turn began
	wall   time.Time // the time of day at wallAt
	wallAt int64
}

// crew holds the coroutines.
type crew struct {
	host    *Worker // the goroutine that called Begin
	idle    *Worker
	idlers  int
	workers []*Worker
	leaving *Worker // its goroutine is in runtime.Goexit, and is to end
}

// scopes are the roots of the tree of scopes, and the tasks in it.
type scopes struct {
	root     Scope   // of main and all tasks below it
	detached Scope   // of tasks made under a ctx that the loop does not cancel
	shielded Scope   // of awaits under such a ctx
	over     *reason // of scopes whose task or body has ended
	main     *Task
	live     int // tasks made and not ended
	lastID   uint32
}

// outer counts what may still wake a task when nothing is ready and no timer is
// set.
type outer struct {
	poller    Poller
	inbox     inbox
	ioWaits   int          // tasks and callbacks that wait for an fd
	threads   int          // goroutines that work for tasks
	outsiders int          // foreign contexts followed, and the like
	holds     atomic.Int64 // in force; see Hold
	warned    bool         // that only the end of Run's ctx can wake a task
}

// ending is the state of the loop's end.
type ending struct {
	panicked  []*Task
	failure   error // why the loop ends before main did
	closing   bool  // main has returned
	lastTurns int   // turns taken only for callbacks, after all tasks were over
	cutting   bool  // the grace time is over
	abandoned bool  // some tasks can't even be cut off
	goexit    bool  // main called runtime.Goexit: Run calls it too
	grace     time.Duration
	closer    timerwheel.Timer[Expirer]
	closers   []func() // see AtEnd
	finished  atomic.Bool
}

// guided limits the loop for a guest; see paused.
type guided struct {
	alone    bool          // there is no guest: the loop can't be stopped
	stopped  bool          // Stop was called
	turned   bool          // RunUntilStopped has taken a turn
	turns    int           // turns left; negative: no limit
	maxSleep time.Duration // how long a turn may sleep
}

// observed holds what is observed of the running step.
type observed struct {
	watched bool          // steps are observed
	wary    bool          // by others than the recorder
	slow    time.Duration // steps that take longer are reported; 0: none
	step    step
	steps   uint64        // begun, and turns; see watchdog
	blocked time.Duration // when the watchdog reports a step; not positive: never
	sighted *atomic.Pointer[sighting]

	rec       *recorder // nil while nothing is recorded
	recorders int       // calls of Record that no StopRecording has ended
	recording atomic.Pointer[recorder]

	stepsBefore uint64 // steps that are counted in meter
	unread      int    // turns since the clock was read
	meter       meter
}

// A Facade is the users' view of the loop. The core gets errors and reports of
// types that users name from it.
type Facade interface {
	// Report reports a problem that can't be returned to a caller. It is called
	// on the loop's thread.
	Report(r Report)

	// Blocked reports a blocked loop. It is called on the watchdog's goroutine.
	Blocked(b Blockage)

	// Last is called when nothing is left to run, and reports whether it has made a
	// task.
	Last() bool

	// Cancelled returns the error of an await that was cancelled for a cause.
	Cancelled(cause error) error

	// Panicked returns the error of a task that panicked with a value, or that called
	// runtime.Goexit, if that is ErrGoexit.
	Panicked(task string, value any, stack []byte) error

	// Deadlocked returns the error of a deadlocked loop. waiting has a line for
	// each task.
	Deadlocked(waiting []string) error

	// Classify returns the kind of an error, without unwrapping it. The cause
	// is that of a cancellation.
	Classify(err error) (kind ErrorKind, cause error)
}

// An ErrorKind is the kind of an error of a type that users can name.
type ErrorKind uint8

const (
	OtherError     ErrorKind = iota
	CancelledError           // one that Cancelled returned
	PanickedError            // one that Panicked returned
	TimeoutError             // that of a deadline that code has set for itself
)

// A Poller reports which fds are ready.
type Poller interface {
	Add(fd int, token uint64) error
	Remove(fd int) error
	Wait(timeout time.Duration) ([]eddy.Event, error)
	Wake() error
	Close() error
}

// A Config configures a loop. Zero fields mean defaults.
type Config struct {
	Clock      Clock
	Poller     Poller
	Sockets    sockets.Calls
	Simulation simulation.Simulator
	Grace      time.Duration
	SlowStep   time.Duration
	Blocked    time.Duration
	Debug      bool
	Record     int // bytes; not positive: nothing is recorded
	TaskLabels bool
}

// loops maps the threads on which loops run to their loops, so that none runs
// inside another.
var loops sync.Map

// Begin makes the zero l a loop on the calling goroutine's thread. The error is
// ctx's, if ctx is done, or [ErrNested] if the thread has a loop already.
func (l *Loop) Begin(ctx context.Context, f Facade, c Config) error {
	l.facade, l.thread = f, threadID()
	if ctx.Err() != nil {
		return l.reasonOf(ctx).await
	}
	if there, nested := loops.LoadOrStore(l.thread, (*Loop)(nil)); nested {
		return there.(*Loop).nested()
	}
	if err := l.init(ctx, c); err != nil {
		loops.Delete(l.thread)
		return err
	}
	loops.Store(l.thread, l)
	return nil
}

func (l *Loop) init(ctx context.Context, c Config) error {
	l.clock, l.poller, l.sockets = c.Clock, c.Poller, c.Sockets
	l.grace, l.slow, l.blocked = c.Grace, c.SlowStep, c.Blocked
	l.turns, l.maxSleep = -1, MaxTime
	if c.Debug || os.Getenv("EDDYDEBUG") == "1" {
		l.debug()
	}
	l.taskLabels, l.annotates = c.TaskLabels, c.TaskLabels
	if c.Simulation != nil {
		l.simulate(ctx, c.Simulation)
	}
	if l.clock == nil {
		l.clock = monotonic{time.Now()}
	}
	if l.poller == nil {
		p, err := eddy.NewPoller()
		if err != nil {
			return err
		}
		l.poller = p
	}
	if l.sockets == nil {
		l.sockets = sockets.System{}
	}
	if l.grace == 0 {
		l.grace = 10 * time.Second
	}
	for _, s := range []*Scope{&l.root, &l.detached, &l.shielded} {
		s.loop, s.parent = l, ctx
	}
	l.over = l.because(errEnded)
	l.NoteLabels(ctx)
	l.closer.Value = (*closer)(l)
	l.inbox.poller = l.poller
	if m, ok := l.clock.(monotonic); ok {
		l.wall = m.base // exactly: a deadline a nanosecond ago has passed
	} else {
		l.wall, l.wallAt = time.Now(), l.Now()
	}
	l.turnAt = l.Now()
	l.meter.begin(l.turnAt)
	l.wary = l.slow > 0 || l.sim != nil
	l.watched = l.wary
	l.host = &Worker{loop: l, self: coro.Self(), state: running}
	l.cur, l.running = l.host, l.host.self
	l.number = lastNumber.Add(1)
	l.enroll()
	if c.Record > 0 {
		l.Record(c.Record)
	}
	return nil
}

// Start makes main the loop's first task. The loop ends with it, and main is
// cancelled when ctx is done.
func (l *Loop) Start(ctx context.Context, main *Task) {
	l.root.Follow(ctx)
	l.main = main
	title := main.Name()
	l.title.Store(&title)
}

// Facade returns the loop's Facade.
func (l *Loop) Facade() Facade { return l.facade }

// Root returns the scope above main and all tasks below it.
func (l *Loop) Root() *Scope { return &l.root }

// Detached returns the scope of tasks made under a ctx that the loop cancels
// only at its end.
func (l *Loop) Detached() *Scope { return &l.detached }

// Shielded returns a scope that is never done: waits under it are not
// cancelled.
func (l *Loop) Shielded() *Scope { return &l.shielded }

// Cutting reports whether the loop's end cuts off every task that waits.
func (l *Loop) Cutting() bool { return l.cutting }

// Closing reports whether main has returned.
func (l *Loop) Closing() bool { return l.closing }

// Push queues j to be run.
func (l *Loop) Push(j Job) { l.ready.push(j) }

// Running returns the running task, or nil for a callback. The caller must be on the
// loop.
func (l *Loop) Running() *Task { return l.cur.task }

// Outside adds n to the count of things unknown to the loop that may wake a
// task. While it is positive, the loop is not deadlocked.
func (l *Loop) Outside(n int) { l.outsiders += n }

// Threads adds n to the number of goroutines that work for tasks, and returns
// it. The loop does not end before they do.
func (l *Loop) Threads(n int) int {
	l.threads += n
	return l.threads
}

// A Timer is set in a loop's wheel.
type Timer = timerwheel.Timer[Expirer]

// SetTimer makes t expire at a loop time, replacing an earlier setting.
func (l *Loop) SetTimer(t *Timer, when int64) { l.wheel.Reset(t, when) }

// StopTimer keeps t from expiring.
func (l *Loop) StopTimer(t *Timer) { l.wheel.Cancel(t) }
