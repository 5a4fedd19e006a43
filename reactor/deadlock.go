package reactor

import (
	"fmt"
	"strings"
)

// A DeadlockError is returned by [Run] when no task can ever run again: none is
// ready, no timer, file descriptor, thread, signal or foreign context is left
// that could wake one, and nobody holds the loop (see [Loop.Hold]).
//
// The ctx given to Run counts too, if it can be done at all: its end wakes every
// task that is not shielded from it. A loop that has nothing else to wait for
// goes on waiting, and hands the error to Options.OnError, or logs it, once.
// (Tests that want a deadlock to end Run at once give it context.Background.)
type DeadlockError struct {
	Waiting []string // a line for each task: its name, and what it waits for
}

func (e *DeadlockError) Error() string {
	return "reactor: deadlock: every task waits, and nothing is left that could wake one:\n\t" +
		strings.Join(e.Waiting, "\n\t") +
		"\n(If a goroutine was to wake one of them: start it by ToThread, or call Loop.Hold before you start it.)"
}

// deadlocked reports whether nothing can ever wake a task again, and then ends
// the loop. It is asked only when nobody is ready and no timer runs. The inbox
// comes after the holds: whoever has released one has posted before.
func (l *Loop) deadlocked() bool {
	foreign := l.outsiders
	if l.root.followed() {
		foreign-- // see endWakes
	}
	if l.hosted() || l.sim != nil || l.ioWaits+l.threads+foreign > 0 || l.holds.Load() > 0 || !l.inbox.empty() {
		return false // a simulator's Wait finds out
	}
	if l.endWakes() {
		if !l.warned && !l.closing {
			l.warned = true
			l.tell(Report{What: "only the end of Run's ctx can wake a task now", Err: &DeadlockError{l.waiting()}})
		}
		return false
	}
	l.deadlock()
	return true
}

// endWakes reports whether the ctx given to Run may yet be done, and some task
// would be woken by that.
func (l *Loop) endWakes() bool {
	if !l.root.followed() || l.root.parent.Done() == nil {
		return false
	}
	for _, w := range l.workers {
		for s := w.where; s != nil; s = s.up {
			if s == &l.root {
				return true
			}
		}
	}
	return false
}

func (l *Loop) deadlock() {
	if l.failure == nil && !l.closing {
		l.fail(&DeadlockError{l.waiting()})
	}
	l.giveUp()
}

// waiting describes what each task waits for, a line each.
func (l *Loop) waiting() (lines []string) {
	for _, w := range l.tasks() {
		lines = append(lines, fmt.Sprintf("%v waits for %v", w.task, l.describe(w.what)))
	}
	return lines
}

// giveUp goes on with the end of a loop whose failure has readied nobody,
// because all that is left is shielded from cancellation.
func (l *Loop) giveUp() {
	switch {
	case l.ready.n > 0:
	case !l.cutting:
		l.cut()
	default:
		l.abandon()
	}
}
