package core

import (
	"fmt"
)

// deadlocked reports whether nothing can ever wake a task again, and then ends
// the loop. It is called only when nothing is ready and no timer is set. It
// checks the inbox after the holds, because a goroutine posts before it
// releases its hold.
func (l *Loop) deadlocked() bool {
	foreign := l.outsiders
	if l.root.followed() {
		foreign-- // see endWakes
	}
	if l.hosted() || l.sim != nil || l.ioWaits+l.threads+foreign > 0 || l.holds.Load() > 0 || !l.inbox.empty() {
		return false // a simulator's Wait detects it
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

// endWakes reports whether the ctx given to Run may still become done, and
// would then wake some task.
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
		l.Fail(l.facade.Deadlocked(l.waiting()))
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

// giveUp continues the end of a loop whose failure has readied no task, because
// all remaining ones are shielded from cancellation.
func (l *Loop) giveUp() {
	switch {
	case l.ready.n > 0:
	case !l.cutting:
		l.cut()
	default:
		l.abandon()
	}
}
