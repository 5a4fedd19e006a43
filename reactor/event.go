package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// An Event is a flag that tasks can wait for. The zero Event is not set. It
// belongs to the loop of the tasks that use it, and must not be copied.
type Event struct {
	home    core.Home
	set     bool
	waiters core.WaitList
}

// Set raises the flag and readies all that wait, in the order in which they
// came. They go on even if Clear lowers it again before they run.
func (e *Event) Set() {
	e.home.OnLoop("Event.Set")
	e.set = true
	e.waiters.WakeAll(core.WokenDone)
}

// Clear lowers the flag.
func (e *Event) Clear() {
	e.home.OnLoop("Event.Clear")
	e.set = false
}

// IsSet reports whether the flag is up.
func (e *Event) IsSet() bool {
	e.home.OnLoop("Event.IsSet")
	return e.set
}

// Wait returns nil once the flag is up, at once if it is, or ctx's error if ctx is
// done. It allocates nothing.
func (e *Event) Wait(ctx context.Context) error {
	w, s, err := e.home.Await(ctx, "Event.Wait")
	if err != nil || e.set {
		return err
	}
	return e.waiters.Wait(w, s, waitingFor("an event"))
}
