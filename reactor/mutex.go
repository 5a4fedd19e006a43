package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A Mutex lets one task at a time into a region that suspends. (Between two
// suspensions a task is alone anyway.) It is handed to waiting tasks in the
// order in which they came: one that unlocks and locks again goes to the end of
// the queue. The zero Mutex is unlocked. It belongs to the loop of the tasks that
// use it, and must not be copied.
//
// The task that locks it holds it, and is the one to unlock it. Mistakes are
// noticed: a task that locks it again, one that unlocks what another one holds,
// and one that ends without unlocking, which breaks the mutex for good. A
// [DeadlockError] names the holder. (asyncio's Lock, with trio's checks.)
type Mutex struct {
	home    core.Home
	locked  bool
	holder  holder
	broken  error // its holder has ended
	waiters core.WaitList
}

// Lock waits for the mutex and takes it, or returns ctx's error and does not. If
// the running task holds it already, the error is [ErrSelf], within a sentence,
// and if its holder has ended, or ends meanwhile, it is [ErrBroken]. Lock
// allocates nothing.
func (m *Mutex) Lock(ctx context.Context) error {
	w, s, err := m.home.Await(ctx, "Mutex.Lock")
	if err != nil {
		return err
	}
	return m.lock(w, s)
}

func (m *Mutex) lock(w *core.Worker, s *core.Scope) error {
	switch {
	case m.broken != nil:
		return m.broken
	case !m.locked:
		m.locked = true
		m.holder.begin(w.Task(), (*mutexHolder)(m))
		return nil
	case m.holder.task == w.Task():
		return relocked("Mutex.Lock", w.Task())
	}
	err := m.waiters.Wait(w, s, (*mutexWait)(m)) // handed over locked
	if err == ErrClosed {
		return m.broken
	}
	return err
}

// mutexWait is a Mutex as what a task waits for.
type mutexWait Mutex

func (m *mutexWait) Describe(d *core.Wait) { m.holder.describe("a mutex", d) }

func (m *mutexWait) String() string { return core.Described(m) }

// mutexHolder is a Mutex as the hook of its holder.
type mutexHolder Mutex

// Wake is called when the holder has ended.
func (m *mutexHolder) Wake() {
	m.broken = unlockedNever(m.holder.task)
	m.holder.leave()
	m.waiters.WakeAll(core.WokenClosed)
}

// TryLock takes the mutex if it is free, and reports whether it did. A callback
// may call it, too; anybody may unlock what a callback has locked.
func (m *Mutex) TryLock() bool {
	m.home.OnLoop("Mutex.TryLock")
	free := !m.locked
	if free {
		m.locked = true
		m.holder.begin(m.home.Task(), (*mutexHolder)(m))
	}
	return free
}

// Unlock hands the mutex to the task that has waited longest, if there is one. It
// panics if the mutex is not locked, or if another task holds it. If the mutex is
// broken, it does nothing.
func (m *Mutex) Unlock() { m.unlock("Mutex.Unlock") }

func (m *Mutex) unlock(op string) {
	m.home.OnLoop(op)
	switch {
	case !m.locked:
		panic("reactor: Unlock of a Mutex that is not locked")
	case m.broken != nil:
		return
	}
	m.holder.mustBe(m.home.Task(), op)
	m.holder.leave()
	if x := m.waiters.First(); x != nil {
		m.holder.begin(x.Worker().Task(), (*mutexHolder)(m))
		m.waiters.WakeFirst(core.WokenDone)
	} else {
		m.locked = false
	}
}

// Locked reports whether somebody has the mutex.
func (m *Mutex) Locked() bool {
	m.home.OnLoop("Mutex.Locked")
	return m.locked
}
