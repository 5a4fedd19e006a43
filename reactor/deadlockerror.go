package reactor

import "strings"

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
