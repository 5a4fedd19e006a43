package reactortest

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"
)

// A refusal is something a program did that would make the run depend on more than the
// seed.
type refusal struct {
	what  string
	stack []byte // of the goroutine that did it
}

func (r *refusal) Error() string {
	return "reactortest: this would make the run differ from one time to the next: " + r.what
}

// refusals are the refusals of a run. The first one ends the run.
//
// Invariant: refusing is closed once first is set.
type refusals struct {
	first     atomic.Pointer[refusal]
	refusing  chan struct{}
	abandoned atomic.Bool // the test no longer waits for the loop
}

// Refuse ends the run if the simulator is strict.
func (sim *simulator) Refuse(what string) error {
	if !sim.strict {
		return nil
	}
	r := &refusal{what, debug.Stack()}
	if sim.first.CompareAndSwap(nil, r) {
		close(sim.refusing)
		sim.Wake()
	}
	return r
}

// refused returns err, which ended the run, joined with the refusal if there was one. It
// is called last, because a refusal after the last turn counts too.
func (sim *simulator) refused(err error) error {
	r := sim.first.Load()
	if r == nil {
		return err
	}
	full := fmt.Errorf("%w\n\n%s", r, r.stack)
	if err == nil || err == r {
		return full
	}
	return errors.Join(full, err)
}

// blockedAfter is how long, in real time, the test waits for a loop that makes no
// progress after a refusal.
var blockedAfter = 2 * time.Second

// runLoop calls run, which runs the loop, and returns its error. A strict simulator uses
// another goroutine for it: a task may block the thread by waiting for a goroutine that
// has been refused, and then the loop can't end.
func (sim *simulator) runLoop(t testing.TB, run func() error) error {
	t.Helper()
	if !sim.strict {
		err := run()
		sim.leave(err)
		return err
	}
	var err error
	exited := true // by runtime.Goexit, as a test's FailNow does
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = run()
		exited = false
	}()
	if stuck := sim.awaitLoop(done); stuck != nil {
		return sim.refused(stuck)
	}
	if exited {
		if err := sim.refused(nil); err != nil {
			t.Error(err)
		}
		runtime.Goexit()
	}
	err = sim.refused(err)
	sim.leave(err)
	return err
}

// awaitLoop returns when the loop is done. It returns an error if the loop is blocked
// after a refusal.
func (sim *simulator) awaitLoop(done chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-sim.refusing:
	}
	for steps := sim.steps.Load(); ; {
		select {
		case <-done:
			return nil
		case <-time.After(blockedAfter):
		}
		last := steps
		if steps = sim.steps.Load(); steps == last {
			sim.abandoned.Store(true)
			return fmt.Errorf("reactortest: task %d blocks the loop's thread, and waits perhaps for that goroutine: it is left behind, with all that the run has begun", sim.running.Load())
		}
	}
}
