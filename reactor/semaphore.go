package reactor

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor/core"
)

// A Semaphore holds a number of permits. Tasks get them strictly in the order
// in which they came: one that asks for many is not overtaken by others that
// ask for few. It belongs to the loop of the tasks that use it, and must not be
// copied. The zero Semaphore has none; [NewSemaphore] or SetTotal gives it some.
type Semaphore struct {
	home        core.Home
	free, total int           // free is negative while more are taken than there are now
	waiters     core.WaitList // weight: permits wanted; of one that is refused, the total then
}

// NewSemaphore returns a semaphore with n permits.
func NewSemaphore(n int) *Semaphore {
	if n < 0 {
		panic("reactor: NewSemaphore with a negative number of permits")
	}
	return &Semaphore{free: n, total: n}
}

// Acquire waits for n permits and takes them all at once, or returns ctx's error
// and takes none. To ask for more than there are in all is an error, at once or
// when SetTotal makes it so.
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
		m.grant() // those behind it may need less than it did
		return err
	}
	return nil
}

// semaphoreWait is a Semaphore as what a task waits for.
type semaphoreWait Semaphore

func (m *semaphoreWait) Describe(d *core.Wait) {
	d.For, d.Have, d.Max, d.After = "a semaphore", max(0, m.free), m.total, " free"
}

func (m *semaphoreWait) String() string { return core.Described(m) }

func tooMany(n, total int) error {
	return fmt.Errorf("reactor: Semaphore.Acquire(%d) can never succeed: the semaphore has %d permits in all", n, total)
}

// SetTotal changes the number of permits that there are in all. More of them go to
// the tasks that wait. If there are fewer, nobody loses what it has: those that
// are released first are not given out again. A task that waits for more than
// there are now gets the error that [Semaphore.Acquire] returns for that. It
// panics for a negative n. (trio's CapacityLimiter.)
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

// TryAcquire takes n permits if they are free and nobody waits, and reports whether
// it did.
func (m *Semaphore) TryAcquire(n int) bool {
	m.home.OnLoop("Semaphore.TryAcquire")
	ok := n >= 0 && n <= max(0, m.free) && m.waiters.Empty()
	if ok {
		m.free -= n
	}
	return ok
}

// Release gives n permits back. It panics if that is more than were taken.
func (m *Semaphore) Release(n int) {
	m.home.OnLoop("Semaphore.Release")
	if n < 0 || n > m.total-m.free {
		panic("reactor: Semaphore.Release of more permits than were taken")
	}
	m.free += n
	m.grant()
}

// Free returns the number of permits that nobody has.
func (m *Semaphore) Free() int {
	m.home.OnLoop("Semaphore.Free")
	return max(0, m.free)
}

// grant serves as many as can be, from the front of the queue.
func (m *Semaphore) grant() {
	for x := m.waiters.First(); x != nil && x.Worker().Weight <= max(0, m.free); x = m.waiters.First() {
		m.free -= x.Worker().Weight
		m.waiters.WakeFirst(core.WokenDone)
	}
}
