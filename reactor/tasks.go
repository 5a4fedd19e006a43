package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// Current returns the running task, or nil if the caller is not a task of ctx's
// loop. It may be called from anywhere.
func Current(ctx context.Context) AnyTask {
	if !core.InTask(ctx) {
		return nil
	}
	t := core.Nearest(ctx).Loop().Running()
	t.Expose()
	return (*anyTask)(t)
}

// AllTasks returns the tasks of ctx's loop that are not over, in the order of
// their creation, or nil if ctx belongs to no loop. It may be called by tasks
// and callbacks of the loop; elsewhere it panics.
func AllTasks(ctx context.Context) []AnyTask {
	s := core.Nearest(ctx)
	if s == nil {
		return nil
	}
	s.Loop().OnLoop("AllTasks")
	var all []AnyTask
	for _, t := range s.Loop().Tasks() {
		t.Expose()
		all = append(all, (*anyTask)(t))
	}
	return all
}

// Dump describes what every task of ctx's loop does, a line each, in the order
// of their creation, for a log or a debugger's console. It is empty if ctx
// belongs to no loop or the loop has ended.
//
// Dump may be called from anywhere. On a goroutine other than the loop's it
// waits until the step that the loop runs has ended.
func Dump(ctx context.Context) string {
	s := core.Nearest(ctx)
	if s == nil {
		return ""
	}
	l := s.Loop()
	if l.OnThread() {
		return l.Dump()
	}
	text := make(chan string, 1)
	if l.RefuseOutside("Dump") != nil || !l.Post(func() { text <- l.Dump() }) {
		return ""
	}
	return <-text
}
