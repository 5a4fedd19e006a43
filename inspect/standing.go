package inspect

import "github.com/eddyio/eddy/reactor/core"

// standing returns what keeps the thread of a loop that has not answered, or nil if
// nothing does: it may be that its host does not drive it.
func standing(l *core.Loop) *Standing {
	b, ok := l.Standing()
	if !ok {
		return nil
	}
	return &Standing{Task: b.ID, Name: b.Task, For: b.Took.Seconds(), Calls: b.Calls, Stack: string(b.Stack)}
}
