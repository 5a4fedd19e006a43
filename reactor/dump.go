package reactor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// all returns the live tasks, in order: those that have a worker, and those that
// are queued to be started. (Tasks that a group's limit holds back do not count
// as live yet.)
func (l *loop) all() []*task {
	var all []*task
	for _, w := range l.tasks() {
		all = append(all, w.task)
	}
	for i := range l.ready.n {
		if j, ok := l.ready.at(i).(taskJob); ok {
			all = append(all, j.Record())
		}
	}
	slices.SortFunc(all, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	return all
}

func (l *loop) dump() string {
	var b strings.Builder
	for _, t := range l.all() {
		fmt.Fprintf(&b, "%v %s\n", t, t.doing())
	}
	return b.String()
}

// doing says what a live task does.
func (t *task) doing() string {
	w := t.w
	switch {
	case w == nil || w.task != t:
		return "is to start"
	case w.state == parked:
		return "waits for " + w.what.String()
	case w.state == ready:
		return "is ready"
	default:
		return "runs"
	}
}
