package core

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// This file ends a loop, and reports what remains.

var (
	// ErrCutOff is the error of a task that still waited, or tried to wait,
	// when the grace time at the loop's end was over.
	ErrCutOff = errors.New("reactor: the task was cut off: it did not stop when the loop ended")

	// ErrGoexit is what a task fails with that called runtime.Goexit.
	ErrGoexit = errors.New("reactor: runtime.Goexit was called")
)

var errMainReturned = errors.New("the loop ends: its main function has returned")

// shutdown begins the loop's end: all tasks are cancelled and get a grace time
// to stop.
func (l *Loop) shutdown() {
	l.closing = true
	l.inbox.drain() // functions posted while main ran are called
	why := l.because(errMainReturned)
	l.root.cancel(why)
	l.detached.cancel(why)
	l.wheel.Add(&l.closer, l.After(l.grace))
}

// maxLastTurns is how many turns callbacks get once all tasks are over: enough
// for callbacks that schedule others, but bounded if that never ends.
const maxLastTurns = 100

// lastTurn counts a turn that the loop takes only for callbacks.
func (l *Loop) lastTurn() {
	if l.threads == 0 && l.ready.n > 0 {
		l.lastTurns++
	}
}

// noMoreTurns reports whether queued tasks and callbacks no longer run.
func (l *Loop) noMoreTurns() bool { return l.abandoned || l.lastTurns > maxLastTurns }

// dropQueued empties the ready queue at the loop's end, and reports what did
// not run. It does not report posted callbacks: Post's contract says that the
// loop may end first.
func (l *Loop) dropQueued() {
	tasks, callbacks := 0, 0
	example := ""
	dropped := func(f func()) {
		if callbacks++; callbacks == 1 {
			example = FuncName(f)
		}
	}
	for l.ready.n > 0 {
		switch r := l.ready.pop().(type) {
		case TaskJob:
			t := r.Record()
			if tasks++; tasks <= maxNamed {
				l.Report(Report{Kind: NotStopped, What: "a task was dropped before it had begun: tasks started others until the grace time was over",
					Task: t.String(), Err: ErrCutOff})
			}
			abandonSubmission(t)
		case *Callback:
			if !r.dropped() && !r.posted {
				dropped(r.fn)
			}
		case *TimedCall:
			if !r.dropped() {
				dropped(r.f)
			}
		}
	}
	if tasks > maxNamed {
		l.Report(Report{Kind: NotStopped, What: "more tasks were dropped before they had begun", Err: fmt.Errorf("%d of them", tasks-maxNamed)})
	}
	if callbacks > 0 {
		l.Report(Report{Kind: NotStopped, What: "callbacks were dropped at the loop's end: callbacks called for others without end",
			Err: fmt.Errorf("%d of them, the first is %s", callbacks, example)})
	}
}

// maxNamed is how many of the dropped tasks are named.
const maxNamed = 20

// abandonSubmission ends the wait of the goroutine that submitted t, if one did.
func abandonSubmission(t *Task) {
	if sub, ok := t.keeper.(interface{ Abandoned() }); ok {
		sub.Abandoned()
		t.keeper = nil
	}
}

// closer is the owner of the timer that limits the loop's end.
type closer Loop

func (c *closer) Expire() {
	l := (*Loop)(c)
	if !l.cutting {
		l.cut()
		l.wheel.Add(&l.closer, l.After(time.Second))
	} else {
		l.abandon()
	}
}

// cut ends every task that still waits, by a panic that unwinds its stack.
func (l *Loop) cut() {
	l.cutting = true
	for _, w := range l.tasks() {
		w.Wake(wokenCut)
	}
}

// abandon gives up tasks and threads that did not end even when cut off.
func (l *Loop) abandon() {
	l.abandoned, l.closing = true, true
	for _, w := range l.tasks() {
		abandonSubmission(w.task)
		l.Report(Report{Kind: NotStopped, What: "a task resisted being cut off; its goroutine leaks", Task: w.task.String(), Err: ErrCutOff})
	}
	if l.threads > 0 {
		l.Report(Report{Kind: NotStopped, What: "functions started by ToThread still run after the loop's end", Err: fmt.Errorf("%d of them", l.threads)})
	}
}

// tasks returns the workers that have a task, ordered by the tasks' numbers.
func (l *Loop) tasks() []*Worker {
	var ws []*Worker
	for _, w := range l.workers {
		if w.task != nil {
			ws = append(ws, w)
		}
	}
	slices.SortFunc(ws, func(a, b *Worker) int { return cmp.Compare(a.task.id, b.task.id) })
	return ws
}

// Unkept handles the end of a task without a keeper. If it failed and no task
// waited, its maker may still claim the error: see failure.
func (l *Loop) Unkept(t *Task, echo bool) {
	if t.err == nil || t.claimed || echo {
		return
	}
	if t.err == ErrCutOff {
		return // it is reported already
	}
	if kind, _ := l.facade.Classify(t.err); kind == PanickedError {
		if l.noMoreTurns() {
			l.unkeptPanic(t)
		} else { // its maker gets a turn to ask
			l.ready.push(&Callback{loop: l, fn: func() { l.unkeptPanic(t) }})
		}
		return
	}
	maker, ok := t.keeper.(*Task)
	if !ok || maker.over || l.closing {
		l.report(t)
		return
	}
	l.keep(t, maker)
}

// unkeptPanic handles the panic of a task without a keeper, which ends the
// loop, or its runtime.Goexit. The latter is an error like others, but is
// reported without delay, because code that waits for the task's work may wait
// forever.
func (l *Loop) unkeptPanic(t *Task) {
	switch {
	case t.claimed:
	case errors.Unwrap(t.err) == ErrGoexit:
		l.report(t)
	default:
		l.panicked = append(l.panicked, t)
		l.root.cancel(l.because(t.err))
	}
}

func (l *Loop) report(t *Task) {
	if !t.claimed {
		t.claimed = true
		l.tellUnclaimed(t.String(), t.Failure())
	}
}

func (l *Loop) tellUnclaimed(task string, err error) {
	l.Report(Report{Kind: TaskFailed, What: "a task failed and nobody awaited it", Task: task, Err: err})
}

// result returns the result of Run.
func (l *Loop) result() error {
	var errs []error
	if l.failure != nil {
		errs = append(errs, l.failure)
	}
	for _, t := range l.panicked {
		if !t.claimed {
			errs = append(errs, t.err)
		}
	}
	err := l.main.err
	if !l.main.over {
		err = ErrCutOff
	}
	if err != nil && (len(errs) == 0 || !l.main.echo) {
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// close releases everything that the loop holds. It is deferred, and takes the
// host along if main called runtime.Goexit.
func (l *Loop) close() {
	defer l.finish()
	for _, w := range l.tasks() { // abandoned ones
		w.task.orphan()
	}
	if l.root.followed() {
		l.root.unfollowed()
	}
	l.dropQueued()
	defer l.free()
	l.runClosers()
}

// free frees what the loop's tasks and callbacks, and the functions at its end, worked
// with.
func (l *Loop) free() {
	l.inbox.close() // messages may bring FDs: see Adopt
	l.fds.closeAll()
	l.scratch.free()
	if err := l.poller.Close(); err != nil {
		l.Report(Report{Kind: LoopFailed, What: "closing the poller failed", Err: err})
	}
	for l.idle != nil {
		w := l.idle
		l.idle = w.nextIdle
		l.idlers--
		l.switchTo(l.host, w) // a worker without a job exits
	}
}

// finish marks the loop's end.
func (l *Loop) finish() {
	l.finished.Store(true)
	l.running = 0
	l.withdraw()
	if l.goexit {
		runtime.Goexit()
	}
}

// Fail ends the loop before main returns: main is cancelled, and Run returns err.
func (l *Loop) Fail(err error) {
	if l.failure == nil {
		l.failure = err
		l.root.cancel(l.because(err))
	}
}
