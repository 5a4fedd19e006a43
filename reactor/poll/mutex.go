package poll

import (
	"context"
	"slices"
	"sync"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Mutex is a mutex for tasks of a loop and for goroutines: a task that waits
// for it suspends, a goroutine blocks. Waiters get it in the order of their
// calls. The zero Mutex is unlocked. It must not be copied.
type Mutex struct {
	mu     sync.Mutex
	locked bool
	apart  bool // held by a goroutine
	queue  []*mutexWaiter
}

// A mutexWaiter waits for a Mutex.
type mutexWaiter struct {
	ctx     context.Context // of the task; nil: a goroutine waits
	event   reactor.Event
	granted chan struct{}
	has     bool // has the mutex; guarded by the Mutex's mu
}

// TryLock takes the mutex if it is free. It may be called from anywhere; apart
// must be true if the caller is not a task or callback of the loop.
func (m *Mutex) TryLock(apart bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tryLock(apart)
}

func (m *Mutex) tryLock(apart bool) bool {
	if m.locked {
		return false
	}
	m.locked, m.apart = true, apart
	return true
}

// Locked reports whether the mutex is held.
func (m *Mutex) Locked() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.locked
}

// Lock takes the mutex for the running task. The error is ctx's, if ctx is done
// first.
func (m *Mutex) Lock(ctx context.Context) error {
	if ctx.Err() == nil && m.TryLock(false) {
		return nil
	}
	return m.wait(ctx)
}

func (m *Mutex) wait(ctx context.Context) error {
	w := &mutexWaiter{ctx: ctx}
	m.mu.Lock()
	if m.tryLock(false) {
		w.has = true
		w.event.Set()
	} else {
		m.queue = append(m.queue, w)
	}
	apart := m.apart
	m.mu.Unlock()
	if apart { // the loop may have nothing else to wait for
		defer reactor.LoopOf(ctx).Hold()()
	}
	err := w.event.Wait(ctx)
	if err != nil {
		m.giveUp(w)
	}
	return err
}

// giveUp ends the wait of a task, which may have got the mutex meanwhile.
func (m *Mutex) giveUp(w *mutexWaiter) {
	m.mu.Lock()
	has := w.has
	if i := slices.Index(m.queue, w); i >= 0 {
		m.queue = slices.Delete(m.queue, i, i+1)
	}
	m.mu.Unlock()
	if has {
		m.Unlock()
	}
}

// LockApart takes the mutex for a goroutine.
func (m *Mutex) LockApart() {
	m.mu.Lock()
	if m.tryLock(true) {
		m.mu.Unlock()
		return
	}
	w := &mutexWaiter{granted: make(chan struct{})}
	m.queue = append(m.queue, w)
	m.mu.Unlock()
	<-w.granted
}

// Unlock passes the mutex to the waiter that has waited longest. It may be
// called from anywhere.
func (m *Mutex) Unlock() {
	for {
		w := m.next()
		switch {
		case w == nil:
			return
		case w.ctx == nil:
			close(w.granted)
			return
		case core.OnLoop(w.ctx):
			w.event.Set()
			return
		case reactor.LoopOf(w.ctx).Post(w.event.Set) == nil:
			return
		}
	}
}

// next returns the waiter that gets the mutex, or nil if it is free now.
func (m *Mutex) next() *mutexWaiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		m.locked = false
		return nil
	}
	w := m.queue[0]
	m.queue = m.queue[1:]
	w.has, m.apart = true, w.ctx == nil
	return w
}
