package reactor

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// A Semaphore holds a number of permits. Tasks get them strictly in the order
// of their calls: one that needs many is not overtaken by others that need few.
// It belongs to the loop of the tasks that use it, and must not be copied. The
// zero Semaphore has no permits; use [NewSemaphore] or SetTotal.
type Semaphore struct {
	home        core.Home
	free, total int           // free is negative while more are taken than total
	waiters     core.WaitList // weight: permits wanted; for a refused one, the total then
}

// NewSemaphore returns a semaphore with n permits.
func NewSemaphore(n int) *Semaphore {
	if n < 0 {
		panic("reactor: NewSemaphore with a negative number of permits")
	}
	return &Semaphore{free: n, total: n}
}

// Acquire waits for n permits and takes them all at once, or returns ctx's
// error and takes none. If n is more than the total, it returns an error, at
// once or when SetTotal lowers the total.
func (m *Semaphore) Acquire(ctx context.Context, n int) error {
	w, s, err := m.home.Await(ctx, "Semaphore.Acquire")
	if err != nil {
		return err
	}
	if n < 0 || n > m.total {
		return tooMany(n, m.total)
	}
	if m.TryAcquire(n) {
		return nil
	}
	w.Weight = n
	if err := m.waiters.Wait(w, s, (*semaphoreWait)(m)); err != nil {
		if err == ErrClosed {
			return tooMany(n, w.Weight)
		}
		m.grant() // tasks behind it may need fewer
		return err
	}
	return nil
}

// semaphoreWait is a Semaphore as what a task waits for.
type semaphoreWait Semaphore

func (m *semaphoreWait) Describe(d *core.Wait) {
	d.For, d.After = "a semaphore", " free"
	d.Have, d.Max = (*Semaphore)(m).permits()
}

func (m *semaphoreWait) String() string { return core.Described(m) }

func tooMany(n, total int) error {
	return fmt.Errorf("reactor: Semaphore.Acquire(%d) can never succeed: the semaphore has %d permits in all", n, total)
}

// SetTotal changes the total number of permits. Added permits go to waiting
// tasks. If the total shrinks, tasks keep the permits that they have: permits
// released later are withdrawn first. A task that waits for more than the new
// total gets the error of [Semaphore.Acquire]. It panics for a negative n.
// (trio's CapacityLimiter.)
func (m *Semaphore) SetTotal(n int) {
	m.home.OnLoop("Semaphore.SetTotal")
	if n < 0 {
		panic("reactor: Semaphore.SetTotal of a negative number of permits")
	}
	m.free += n - m.total
	m.total = n
	for x := range m.waiters.All {
		if x.Worker().Weight > n {
			x.Worker().Weight = n
			x.Worker().Wake(core.WokenClosed)
		}
	}
	m.grant()
}

// TryAcquire takes n permits if they are free and no task waits, and reports
// whether it did.
func (m *Semaphore) TryAcquire(n int) bool {
	m.home.OnLoop("Semaphore.TryAcquire")
	ok := n >= 0 && n <= max(0, m.free) && m.waiters.Empty()
	if ok {
		m.free -= n
	}
	return ok
}

// Release returns n permits. It panics if that is more than were taken.
func (m *Semaphore) Release(n int) {
	m.home.OnLoop("Semaphore.Release")
	if n < 0 || n > m.total-m.free {
		panic("reactor: Semaphore.Release of more permits than were taken")
	}
	m.free += n
	m.grant()
}

// Free returns the number of free permits.
func (m *Semaphore) Free() int {
	m.home.OnLoop("Semaphore.Free")
	free, _ := m.permits()
	return free
}

// permits returns how many permits are free, and how many there are.
func (m *Semaphore) permits() (free, total int) { return max(0, m.free), m.total }

// grant gives permits to as many tasks as possible, from the front of the
// queue.
func (m *Semaphore) grant() {
	for x := m.waiters.First(); x != nil && x.Worker().Weight <= max(0, m.free); x = m.waiters.First() {
		m.free -= x.Worker().Weight
		m.waiters.WakeFirst(core.WokenDone)
	}
}
