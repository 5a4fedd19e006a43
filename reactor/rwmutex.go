package reactor

import "context"

// An RWMutex lets any number of readers in, or one writer. Tasks get it in the
// order in which they came: a reader that comes after a waiting writer waits
// behind it, so neither starves. The zero RWMutex is unlocked. It belongs to
// the loop of the tasks that use it, and must not be copied.
type RWMutex struct {
	home    home
	readers int
	writing bool
	waiters waitList // weight: 1 for a writer, 0 for a reader
}

// Lock waits until nobody else is in, and takes the mutex for writing, or
// returns ctx's error and does not.
func (m *RWMutex) Lock(ctx context.Context) error { return m.lock(ctx, "RWMutex.Lock", 1) }

// RLock waits until no writer is in, nor waits before the caller, and takes the
// mutex for reading, or returns ctx's error and does not.
func (m *RWMutex) RLock(ctx context.Context) error { return m.lock(ctx, "RWMutex.RLock", 0) }

func (m *RWMutex) lock(ctx context.Context, op string, weight int) error {
	w, s, err := m.home.await(ctx, op)
	if err != nil {
		return err
	}
	if m.waiters.empty() && m.admits(weight) {
		m.enter(weight)
		return nil
	}
	w.weight = weight
	if err := m.waiters.wait(w, s, waitingFor("a read-write mutex")); err != nil {
		m.admitWaiters() // if it was a writer that gave up, readers behind it may go in
		return err
	}
	return nil
}

// TryLock takes the mutex for writing if that needs no waiting, and says whether
// it did.
func (m *RWMutex) TryLock() bool { return m.try("RWMutex.TryLock", 1) }

// TryRLock is as TryLock, for reading.
func (m *RWMutex) TryRLock() bool { return m.try("RWMutex.TryRLock", 0) }

func (m *RWMutex) try(op string, weight int) bool {
	m.home.onLoop(op)
	ok := m.waiters.empty() && m.admits(weight)
	if ok {
		m.enter(weight)
	}
	return ok
}

// Unlock ends writing. It panics if nobody writes.
func (m *RWMutex) Unlock() {
	m.home.onLoop("RWMutex.Unlock")
	if !m.writing {
		panic("reactor: Unlock of an RWMutex that is not locked for writing")
	}
	m.writing = false
	m.admitWaiters()
}

// RUnlock ends one task's reading. It panics if nobody reads.
func (m *RWMutex) RUnlock() {
	m.home.onLoop("RWMutex.RUnlock")
	if m.readers == 0 {
		panic("reactor: RUnlock of an RWMutex that is not locked for reading")
	}
	m.readers--
	m.admitWaiters()
}

func (m *RWMutex) admits(weight int) bool {
	return !m.writing && (weight == 0 || m.readers == 0)
}

func (m *RWMutex) enter(weight int) {
	if weight == 0 {
		m.readers++
	} else {
		m.writing = true
	}
}

// admitWaiters lets in as many as may, from the front of the queue.
func (m *RWMutex) admitWaiters() {
	for x := m.waiters.head; x != nil && m.admits(x.w.weight); x = m.waiters.head {
		m.enter(x.w.weight)
		m.waiters.wakeFirst(wokenDone)
	}
}
