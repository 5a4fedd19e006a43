package reactor

import (
	"errors"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// ErrBroken is returned by a [Barrier] that was aborted, and by a [Mutex] or an
// [RWMutex] whose holder ended without unlocking it.
var ErrBroken = errors.New("reactor: the barrier or lock is broken")

// A holder records the task that holds a lock. Meanwhile the lock's hook waits
// for the task's end, to learn if the task ends without unlocking.
//
// Invariant: end is in task's list of waiters, or task is nil. If it is nil the
// lock is free, or held by a callback; then any task may unlock it.
type holder struct {
	task *core.Task
	end  core.Waiter
}

func (h *holder) begin(t *core.Task, lock core.Hook) {
	if t != nil {
		h.task, h.end.Hook = t, lock
		t.Waiters().Push(&h.end)
	}
}

func (h *holder) leave() {
	h.end.Leave()
	h.task = nil
}

// mustBe panics unless the running task t, or a callback if t is nil, may
// unlock what h holds.
func (h *holder) mustBe(t *core.Task, op string) {
	if h.task == nil || h.task == t {
		return
	}
	panic(foreign(op, t, h.task))
}

// describe describes a lock that h holds.
func (h *holder) describe(lock string, d *core.Wait) {
	d.For = lock
	if h.task != nil {
		d.For += " held by"
		d.Name(h.task)
	}
}

func foreign(op string, t, holder *core.Task) string {
	who := "a callback"
	if t != nil {
		who = t.String()
	}
	return fmt.Sprintf("reactor: %s by %s, but it is %v that holds the lock: the task that locks must unlock", op, who, holder)
}

// relocked returns the error of a task that waits for a lock that it holds.
func relocked(op string, t *core.Task) error {
	return fmt.Errorf("reactor: %s by %v, which holds the lock already: %w", op, t, ErrSelf)
}

// unlockedNever returns the error of a lock whose holder has ended.
func unlockedNever(t *core.Task) error {
	return fmt.Errorf("reactor: %v ended without unlocking it: %w", t, ErrBroken)
}
