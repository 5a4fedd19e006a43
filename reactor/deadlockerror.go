package reactor

import "strings"

// A DeadlockError is returned by [Run] when no task can ever run again: none is
// ready, no timer, file descriptor, thread, signal or foreign context could
// wake one, and there is no [Loop.Hold].
//
// The ctx given to Run counts too, if it can ever be done, because that wakes
// every task that is not shielded from it. A loop that waits for nothing else
// goes on waiting, and reports the error once, to Options.OnError or the log.
// (In a test, give Run context.Background so that a deadlock ends it at once.)
type DeadlockError struct {
	Waiting []string // a line for each task: its name, and what it waits for
}

func (e *DeadlockError) Error() string {
	return "reactor: deadlock: every task waits, and nothing is left that could wake one:\n\t" +
		strings.Join(e.Waiting, "\n\t") +
		"\n(If a goroutine was to wake one of them: start it by ToThread, or call Loop.Hold before you start it.)"
}
