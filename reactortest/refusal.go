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

// A refusal is what a program did that only the world may decide.
type refusal struct {
	what  string
	stack []byte // of the goroutine that did it
}

func (r *refusal) Error() string {
	return "reactortest: this would make the run differ from one time to the next: " + r.what
}

// refusals is what a world keeps of them. The first one ends the run.
//
// Invariant: refusing is closed once first is set.
type refusals struct {
	first    atomic.Pointer[refusal]
	refusing chan struct{}
	left     atomic.Bool // the test does not wait for the loop any more
}

// Refuse ends the run, unless the world takes what comes.
func (w *world) Refuse(what string) error {
	if !w.strict {
		return nil
	}
	r := &refusal{what, debug.Stack()}
	if w.first.CompareAndSwap(nil, r) {
		close(w.refusing)
		w.Wake()
	}
	return r
}

// refused returns err, which ended the run, with all that is known of the refusal,
// if there was one. It is asked last: what comes after the last turn counts too.
func (w *world) refused(err error) error {
	r := w.first.Load()
	if r == nil {
		return err
	}
	full := fmt.Errorf("%w\n\n%s", r, r.stack)
	if err == nil || err == r {
		return full
	}
	return errors.Join(full, err)
}

// blockedAfter is how long, in real time, a loop may stand still after a refusal
// until the test goes on without it.
var blockedAfter = 2 * time.Second

// attend calls run, which runs the loop, and returns its error. In a strict world it
// does so on a goroutine of its own: a task may block the thread by waiting for a
// goroutine that has been refused, and then the loop can't end.
func (w *world) attend(t testing.TB, run func() error) error {
	t.Helper()
	if !w.strict {
		return run()
	}
	var err error
	exited := true // by runtime.Goexit, as a test's FailNow does
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = run()
		exited = false
	}()
	if stuck := w.await(done); stuck != nil {
		return w.refused(stuck)
	}
	if exited {
		if err := w.refused(nil); err != nil {
			t.Error(err)
		}
		runtime.Goexit()
	}
	return w.refused(err)
}

// await returns when the loop is done, or, with an error, when it will never be.
func (w *world) await(done chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-w.refusing:
	}
	for steps := w.steps.Load(); ; {
		select {
		case <-done:
			return nil
		case <-time.After(blockedAfter):
		}
		last := steps
		if steps = w.steps.Load(); steps == last {
			w.left.Store(true)
			return fmt.Errorf("reactortest: task %d blocks the loop's thread, and waits perhaps for that goroutine: it is left behind, with all that the run has begun", w.running.Load())
		}
	}
}
