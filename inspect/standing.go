package inspect

import "github.com/eddyio/eddy/reactor/core"

// standing returns the step that blocks a loop that has not answered, or nil if
// there is none: its host may not be driving it.
func standing(l *core.Loop) *Standing {
	b, ok := l.Standing()
	if !ok {
		return nil
	}
	return &Standing{Task: b.ID, Name: b.Task, For: b.Took.Seconds(), Calls: b.Calls, Stack: string(b.Stack)}
}
