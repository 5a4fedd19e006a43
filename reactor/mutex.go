package reactor

import (
	"context"
	"errors"
)

// ErrClosed is returned by what waits for something that gets closed, or is
// closed already.
var ErrClosed = errors.New("reactor: closed")

// A Mutex lets one task at a time into a region that suspends. (Between two
// suspensions a task is alone anyway.) It is handed to waiting tasks in the
// order in which they came: one that unlocks and locks again goes to the end of
// the queue. The zero Mutex is unlocked. It belongs to the loop of the tasks that
// use it, and must not be copied. (asyncio's Lock.)
type Mutex struct {
	home    home
	locked  bool
	waiters waitList
}

// Lock waits for the mutex and takes it, or returns ctx's error and does not. A
// task that locks it twice waits for itself. It allocates nothing.
func (m *Mutex) Lock(ctx context.Context) error {
	w, s, err := m.home.await(ctx, "Mutex.Lock")
	if err != nil {
		return err
	}
	return m.lock(w, s)
}

func (m *Mutex) lock(w *worker, s *scope) error {
	if !m.locked {
		m.locked = true
		return nil
	}
	return m.waiters.wait(w, s, waitingFor("a mutex")) // handed over locked
}

// TryLock takes the mutex if it is free, and reports whether it did.
func (m *Mutex) TryLock() bool {
	m.home.onLoop("Mutex.TryLock")
	free := !m.locked
	m.locked = true
	return free
}

// Unlock hands the mutex to the task that has waited longest, if there is one.
// Any task or callback of the loop may unlock it. It panics if the mutex is not
// locked.
func (m *Mutex) Unlock() {
	m.home.onLoop("Mutex.Unlock")
	if !m.locked {
		panic("reactor: Unlock of a Mutex that is not locked")
	}
	if !m.waiters.wakeFirst(wokenDone) {
		m.locked = false
	}
}

// Locked reports whether a task has the mutex.
func (m *Mutex) Locked() bool {
	m.home.onLoop("Mutex.Locked")
	return m.locked
}
