package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A Mutex lets one task at a time into a region that suspends. (Between two
// suspensions a task runs alone anyway.) Waiting tasks get it in the order of
// their calls: a task that unlocks and locks again goes to the end of the
// queue. The zero Mutex is unlocked. It belongs to the loop of the tasks that
// use it, and must not be copied.
//
// The task that locks it holds it, and must unlock it. It is an error if a task
// locks it again, if a task unlocks a mutex that another one holds, or if a
// task ends without unlocking it, which breaks the mutex forever. A
// [DeadlockError] names the holder. (asyncio's Lock, with trio's checks.)
type Mutex struct {
	home    core.Home
	locked  bool
	holder  holder
	broken  error // its holder has ended
	waiters core.WaitList
}

// Lock waits for the mutex and takes it, or returns ctx's error without taking
// it. If the running task holds it already, the error wraps [ErrSelf]; if its
// holder has ended, or ends meanwhile, it wraps [ErrBroken]. Lock does not
// allocate.
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
	err := m.waiters.Wait(w, s, (*mutexWait)(m)) // it is handed over locked
	if err == ErrClosed {
		return m.broken
	}
	return err
}

// mutexWait describes a wait for a Mutex.
type mutexWait Mutex

func (m *mutexWait) Describe(d *core.Wait) { m.holder.describe("a mutex", d) }

func (m *mutexWait) String() string { return core.Described(m) }

// mutexHolder is the hook that learns of the end of a Mutex's holder.
type mutexHolder Mutex

// Wake is called when the holder has ended.
func (m *mutexHolder) Wake() {
	m.broken = unlockedNever(m.holder.task)
	m.holder.leave()
	m.waiters.WakeAll(core.WokenClosed)
}

// TryLock takes the mutex if it is free, and reports whether it did. A callback
// may call it, too; any task or callback may unlock what a callback has locked.
func (m *Mutex) TryLock() bool {
	m.home.OnLoop("Mutex.TryLock")
	free := !m.locked
	if free {
		m.locked = true
		m.holder.begin(m.home.Task(), (*mutexHolder)(m))
	}
	return free
}

// Unlock passes the mutex to the task that has waited longest, if any. It
// panics if the mutex is not locked, or if another task holds it. If the mutex
// is broken, it does nothing.
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

// Locked reports whether the mutex is locked.
func (m *Mutex) Locked() bool {
	m.home.OnLoop("Mutex.Locked")
	return m.locked
}
