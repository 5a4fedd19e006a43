package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Tasks returns the live tasks, in order: those that have a worker, and those
// that are queued to start. (Tasks held back by a group's limit do not count as
// live yet.)
func (l *Loop) Tasks() []*Task {
	var all []*Task
	for _, w := range l.tasks() {
		all = append(all, w.task)
	}
	for i := range l.ready.n {
		if j, ok := l.ready.at(i).(TaskJob); ok {
			all = append(all, j.Record())
		}
	}
	slices.SortFunc(all, func(a, b *Task) int { return cmp.Compare(a.id, b.id) })
	return all
}

// Dump describes what every task does, one line each.
func (l *Loop) Dump() string {
	var b strings.Builder
	for _, t := range l.Tasks() {
		fmt.Fprintf(&b, "%v %s\n", t, t.doing())
	}
	return b.String()
}

// doing describes what a live task does.
func (t *Task) doing() string {
	w := t.scope.w
	switch {
	case w == nil || w.task != t:
		return "is to start"
	case w.state == parked:
		what := w.waits()
		return "waits for " + what.String()
	case w.state == ready:
		return "is ready"
	default:
		return "runs"
	}
}
