package reactor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Current returns the running task, or nil if the caller is not a task of ctx's
// loop. It may be called from anywhere.
func Current(ctx context.Context) AnyTask {
	if !InTask(ctx) {
		return nil
	}
	t := nearest(ctx).loop.cur.task
	t.exposed = true
	return t
}

// AllTasks returns the tasks of ctx's loop that are not over, in the order in
// which they were made, or nil if ctx belongs to no loop. It may be called by tasks
// and callbacks of the loop; elsewhere it panics.
func AllTasks(ctx context.Context) []AnyTask {
	s := nearest(ctx)
	if s == nil {
		return nil
	}
	s.loop.onLoop("AllTasks")
	var all []AnyTask
	for _, t := range s.loop.all() {
		t.exposed = true
		all = append(all, t)
	}
	return all
}

// all returns the live tasks, in order: those that have a worker, and those that
// are queued to be started. (Tasks that a group's limit holds back do not count
// as live yet.)
func (l *Loop) all() []*task {
	var all []*task
	for _, w := range l.tasks() {
		all = append(all, w.task)
	}
	for i := range l.ready.n {
		if t, ok := l.ready.at(i).(AnyTask); ok {
			all = append(all, t.base())
		}
	}
	slices.SortFunc(all, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	return all
}

// Dump describes what every task of ctx's loop does, a line each, in the order
// in which they were made: for a log, or a debugger's console. It is empty if ctx
// belongs to no loop, and once the loop has ended.
//
// Dump may be called from anywhere. On a goroutine that is not the loop's it asks
// the loop, and waits for the end of the step that runs there now.
func Dump(ctx context.Context) string {
	s := nearest(ctx)
	if s == nil {
		return ""
	}
	l := s.loop
	if l.onThread() {
		return l.dump()
	}
	text := make(chan string, 1)
	if l.refuseOutside("Dump") != nil || !l.post(func() { text <- l.dump() }) {
		return ""
	}
	return <-text
}

func (l *Loop) dump() string {
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
