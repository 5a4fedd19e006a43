package core

import (
	"fmt"
)

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
			l.Report(Report{Kind: NearDeadlock, What: "only the end of Run's ctx can wake a task now", Err: l.facade.Deadlocked(l.waiting())})
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
		l.fail(l.facade.Deadlocked(l.waiting()))
	}
	l.giveUp()
}

// waiting describes what each task waits for, a line each.
func (l *Loop) waiting() (lines []string) {
	for _, w := range l.tasks() {
		what := w.waits()
		lines = append(lines, fmt.Sprintf("%v waits for %v", w.task, &what))
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
