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

// Set sets the flag and readies all waiting tasks, in the order of their Waits.
// They go on even if Clear clears it again before they run.
func (e *Event) Set() {
	e.home.OnLoop("Event.Set")
	e.set = true
	e.waiters.WakeAll(core.WokenDone)
}

// Clear clears the flag.
func (e *Event) Clear() {
	e.home.OnLoop("Event.Clear")
	e.set = false
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	e.home.OnLoop("Event.IsSet")
	return e.set
}

// Wait waits until the flag is set and returns nil, or ctx's error if ctx is
// done first. It does not allocate.
func (e *Event) Wait(ctx context.Context) error {
	w, s, err := e.home.Await(ctx, "Event.Wait")
	if err != nil || e.set {
		return err
	}
	return e.waiters.Wait(w, s, waitingFor("an event"))
}
