package core

import (
	"errors"
	"time"
)

// ErrNested is returned by Run if a task calls it: it would block the task's
// own loop. The error of a Run or reactor.Begin called by a callback, or on the
// goroutine of a reactor.Guest, wraps it.
var ErrNested = errors.New("reactor: Run called inside a task: call the function directly, or make it a task with reactor.Go")

// nestedError is an ErrNested for a caller that is not a task.
type nestedError string

func (e nestedError) Error() string        { return string(e) }
func (e nestedError) Is(target error) bool { return target == ErrNested }

const (
	errNestedInCallback = nestedError("reactor: Run or Begin called inside a callback: call the function directly, or make it a task with reactor.Go")
	errNestedOnHost     = nestedError("reactor: Run or Begin called on a goroutine that drives a Guest: call Guest.End first, or use another goroutine")
)

// nested returns the error of a Begin on the thread of l, which is nil while
// the loop is being made. It reads only state of the calling thread.
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

// IsHost reports whether the caller is the goroutine that called Begin, outside
// tasks and callbacks: only that may drive the loop.
func (l *Loop) IsHost() bool { return l.OnThread() && l.cur == l.host }

// hosted reports whether the host gets the thread back after this turn: it may
// then wake tasks itself.
func (l *Loop) hosted() bool { return l.stopped || l.turns >= 0 && l.maxSleep < MaxTime }

// TakeTurn takes one turn. If nothing is ready it sleeps, for at most the given
// time. It reports whether there is more to do.
func (l *Loop) TakeTurn(sleep time.Duration) (more bool) {
	l.turns, l.maxSleep = 1, max(0, sleep)
	l.drive()
	l.turns, l.maxSleep = -1, MaxTime
	return !l.isOver()
}

// RunUntilStopped runs the loop until Stop is called or there is nothing more
// to do, and reports whether it was stopped.
func (l *Loop) RunUntilStopped() (stopped bool) {
	l.turned = false
	l.drive()
	stopped = l.stopped
	l.stopped = false
	return stopped
}

// Stop makes RunUntilStopped return when what is ready now has run.
func (l *Loop) Stop() { l.stopped = !l.alone }

// CancelMain cancels main, if that still runs.
func (l *Loop) CancelMain() {
	if !l.main.over {
		l.root.cancel(reasonCanceled)
	}
}

// End runs the loop to its end and releases everything that it holds. It
// returns main's error, and the reason if the loop ended before main did.
func (l *Loop) End() error {
	defer loops.Delete(l.thread)
	defer l.close()
	defer l.watch()()
	l.alone, l.stopped = true, false
	l.drive()
	return l.result()
}

// paused reports whether the host gets the thread back although there is more
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
