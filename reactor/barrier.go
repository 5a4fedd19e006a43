package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// A Barrier holds tasks until a given number of them has arrived, and then
// releases them all; it can be used again at once. Make one with [NewBarrier].
// It belongs to the loop of the tasks that use it, and must not be copied.
type Barrier struct {
	home    core.Home
	parties int
	come    int // arrivals since the last release; at least as many as wait
	broken  bool
	waiters core.WaitList // weight, when woken: the number of its arrival
}

// NewBarrier returns a barrier for a number of tasks, at least one.
func NewBarrier(parties int) *Barrier {
	if parties < 1 {
		panic("reactor: NewBarrier for less than one task")
	}
	return &Barrier{parties: parties}
}

// Wait suspends the running task until enough have arrived, and returns the
// number of its arrival, from 0: exactly one task gets each. If ctx is done
// first, the task does not count as arrived. After Abort the error is
// [ErrBroken].
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	w, s, err := b.home.Await(ctx, "Barrier.Wait")
	if err != nil {
		return 0, err
	}
	if b.broken {
		return 0, ErrBroken
	}
	if b.last() {
		b.release()
		return b.parties - 1, nil
	}
	b.come++
	switch err := b.waiters.Wait(w, s, (*barrierWait)(b)); err {
	case nil:
		return w.Weight, nil
	case ErrClosed:
		return 0, ErrBroken
	default:
		return 0, err
	}
}

// barrierWait is a Barrier as what a task waits for.
type barrierWait Barrier

func (b *barrierWait) Describe(d *core.Wait) {
	d.For, d.Have, d.Max, d.After = "a barrier", b.come, b.parties, " have come"
}

func (b *barrierWait) String() string { return core.Described(b) }

// last reports whether all others wait. Cancelled tasks have arrived but do not
// wait, so it counts the waiters; it does so only when enough have arrived,
// because counting takes time.
func (b *Barrier) last() bool {
	if b.come < b.parties-1 {
		return false
	}
	b.come = b.waiters.Len()
	return b.come == b.parties-1
}

func (b *Barrier) release() {
	b.come = 0
	for i := 0; b.waiters.First() != nil; i++ {
		b.waiters.First().Worker().Weight = i
		b.waiters.WakeFirst(core.WokenDone)
	}
}

// Abort breaks the barrier: tasks that wait, now or later, get [ErrBroken].
func (b *Barrier) Abort() {
	b.home.OnLoop("Barrier.Abort")
	b.broken = true
	b.empty()
}

// Reset returns the barrier to its initial state; tasks that wait get
// [ErrBroken].
func (b *Barrier) Reset() {
	b.home.OnLoop("Barrier.Reset")
	b.broken = false
	b.empty()
}

func (b *Barrier) empty() {
	b.come = 0
	b.waiters.WakeAll(core.WokenClosed)
}

// Waiting returns the number of tasks that wait.
func (b *Barrier) Waiting() int {
	b.home.OnLoop("Barrier.Waiting")
	return b.waiters.Len()
}
