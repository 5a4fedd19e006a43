package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// An RWMutex can be held by any number of readers or by one writer. Tasks get
// it in the order of their calls: a reader that comes after a waiting writer
// waits behind it, so neither starves. The zero RWMutex is unlocked. It belongs
// to the loop of the tasks that use it, and must not be copied.
//
// The tasks that lock it hold it, and must unlock it; the same mistakes are
// errors as for a [Mutex].
type RWMutex struct {
	home    core.Home
	readers int
	writing bool
	writer  holder
	reading map[*core.Task]*reader // the readers; under nil the callbacks
	spare   *reader                // unused, linked by next
	broken  error                  // a holder has ended
	waiters core.WaitList          // weight: 1 for a writer, 0 for a reader
}

// A reader is a task that holds an RWMutex for reading, once or several times.
type reader struct {
	holder
	mutex *RWMutex
	times int
	next  *reader
}

// Lock waits until the mutex is free and takes it for writing, or returns ctx's
// error without taking it. If the running task holds it already, for writing or
// reading, the error wraps [ErrSelf]; if a holder has ended, or ends meanwhile,
// it wraps [ErrBroken].
func (m *RWMutex) Lock(ctx context.Context) error { return m.lock(ctx, "RWMutex.Lock", 1) }

// RLock waits until no writer holds the mutex or waits ahead of the caller, and
// takes it for reading, or returns ctx's error without taking it. A task may
// take it for reading several times; but if a writer waits, which then waits
// for that task, the error wraps [ErrSelf]. Other errors are as for Lock.
func (m *RWMutex) RLock(ctx context.Context) error { return m.lock(ctx, "RWMutex.RLock", 0) }

func (m *RWMutex) lock(ctx context.Context, op string, weight int) error {
	w, s, err := m.home.Await(ctx, op)
	switch {
	case err != nil:
		return err
	case m.broken != nil:
		return m.broken
	case m.waiters.Empty() && m.admits(weight):
		m.enter(w.Task(), weight)
		return nil
	case m.writing && m.writer.task == w.Task() || m.reading[w.Task()] != nil:
		return relocked(op, w.Task())
	}
	w.Weight = weight
	switch err := m.waiters.Wait(w, s, (*rwMutexWait)(m)); err {
	case nil:
		return nil
	case ErrClosed:
		return m.broken
	default:
		m.admitWaiters() // if a writer gave up, readers behind it may enter
		return err
	}
}

// rwMutexWait describes a wait for an RWMutex.
type rwMutexWait RWMutex

func (m *rwMutexWait) Describe(d *core.Wait) {
	held := (*RWMutex)(m).held()
	held.describe("a read-write mutex", d)
	if held.task != nil {
		d.More = max(0, len(m.reading)-1)
	}
}

func (m *rwMutexWait) String() string { return core.Described(m) }

// TryLock takes the mutex for writing if it need not wait, and reports whether
// it did. A callback may call it, too; any task or callback may unlock what a
// callback has locked.
func (m *RWMutex) TryLock() bool { return m.try("RWMutex.TryLock", 1) }

// TryRLock is like TryLock, for reading.
func (m *RWMutex) TryRLock() bool { return m.try("RWMutex.TryRLock", 0) }

func (m *RWMutex) try(op string, weight int) bool {
	m.home.OnLoop(op)
	ok := m.broken == nil && m.waiters.Empty() && m.admits(weight)
	if ok {
		m.enter(m.home.Task(), weight)
	}
	return ok
}

// Unlock releases the mutex after Lock. It panics if it is not locked for
// writing, or if another task holds it. If the mutex is broken, it does
// nothing.
func (m *RWMutex) Unlock() {
	m.home.OnLoop("RWMutex.Unlock")
	switch {
	case m.broken != nil:
		return
	case !m.writing:
		panic("reactor: Unlock of an RWMutex that is not locked for writing")
	}
	m.writer.mustBe(m.home.Task(), "RWMutex.Unlock")
	m.writer.leave()
	m.writing = false
	m.admitWaiters()
}

// RUnlock undoes one RLock of the running task. It panics if the mutex is not
// locked for reading, or only by others. If the mutex is broken, it does
// nothing.
func (m *RWMutex) RUnlock() {
	m.home.OnLoop("RWMutex.RUnlock")
	switch {
	case m.broken != nil:
		return
	case m.readers == 0:
		panic("reactor: RUnlock of an RWMutex that is not locked for reading")
	}
	t := m.home.Task()
	r := m.reading[t]
	if r == nil {
		if r = m.reading[nil]; r == nil {
			panic(foreign("RWMutex.RUnlock", t, m.anyReader()))
		}
	}
	m.readers--
	if r.times--; r.times == 0 {
		delete(m.reading, r.task)
		r.leave()
		r.next, m.spare = m.spare, r
	}
	m.admitWaiters()
}

// held returns the writer, or else the oldest task that reads.
func (m *RWMutex) held() holder {
	held := m.writer
	if held.task == nil {
		held.task = m.anyReader()
	}
	return held
}

// anyReader returns the oldest task that reads.
func (m *RWMutex) anyReader() *core.Task {
	var first *core.Task
	for t := range m.reading {
		if t != nil && (first == nil || t.ID() < first.ID()) {
			first = t
		}
	}
	return first
}

func (m *RWMutex) admits(weight int) bool {
	return !m.writing && (weight == 0 || m.readers == 0)
}

// enter makes t, or a callback if t is nil, a holder.
func (m *RWMutex) enter(t *core.Task, weight int) {
	if weight == 1 {
		m.writing = true
		m.writer.begin(t, (*rwMutexWriter)(m))
		return
	}
	m.readers++
	r := m.reading[t]
	if r == nil {
		r = m.newReader()
		m.reading[t] = r
		r.begin(t, r)
	}
	r.times++
}

func (m *RWMutex) newReader() *reader {
	r := m.spare
	if r == nil {
		if m.reading == nil {
			m.reading = make(map[*core.Task]*reader)
		}
		return &reader{mutex: m}
	}
	m.spare, r.next = r.next, nil
	return r
}

// admitWaiters gives the mutex to as many tasks as may have it, from the front
// of the queue.
func (m *RWMutex) admitWaiters() {
	for x := m.waiters.First(); x != nil && m.admits(x.Worker().Weight); x = m.waiters.First() {
		m.enter(x.Worker().Task(), x.Worker().Weight)
		m.waiters.WakeFirst(core.WokenDone)
	}
}

// rwMutexWriter is the hook that learns of the end of an RWMutex's writer.
type rwMutexWriter RWMutex

// Wake is called when the writer has ended.
func (m *rwMutexWriter) Wake() { (*RWMutex)(m).breaks(m.writer.task) }

// Wake is called when the reader has ended.
func (r *reader) Wake() { r.mutex.breaks(r.task) }

func (m *RWMutex) breaks(t *core.Task) {
	m.broken = unlockedNever(t)
	m.writer.leave()
	for _, r := range m.reading {
		r.leave()
	}
	m.waiters.WakeAll(core.WokenClosed)
}
