package reactor

import (
	"context"
	"fmt"
	"testing"
)

// rwModel is a model of an RWMutex: kinds holds for each waiter whether it is a
// writer.
type rwModel struct {
	m       RWMutex
	kinds   [3]bool
	readers int
	writing bool
}

func (x *rwModel) wait(ctx context.Context, i int) (string, error) {
	lock := x.m.RLock
	if x.kinds[i] {
		lock = x.m.Lock
	}
	err := lock(ctx)
	x.disown()
	return "", err
}

// disown makes the model the one that unlocks for all.
func (x *rwModel) disown() {
	x.m.writer.leave()
	for t, r := range x.m.reading {
		if t == nil {
			continue
		}
		for range r.times {
			x.m.readers--
			x.m.enter(nil, 0)
		}
		delete(x.m.reading, t)
		r.leave()
	}
}

// release removes one holder, if there is one.
func (x *rwModel) release() {
	x.disown()
	switch {
	case x.writing:
		x.m.Unlock()
		x.writing = false
	case x.readers > 0:
		x.m.RUnlock()
		x.readers--
	}
}

// admit returns which waiters get the lock in the model.
func (x *rwModel) admit(queue []int) (in []outcome) {
	for _, i := range queue {
		switch {
		case x.writing || x.kinds[i] && x.readers > 0:
			return in
		case x.kinds[i]:
			x.writing = true
		default:
			x.readers++
		}
		in = append(in, outcome{who: i})
	}
	return in
}

func (x *rwModel) contest() contest {
	return contest{
		wait: x.wait,
		wake: func(queue []int) []outcome {
			if x.writing || x.readers > 0 {
				x.release()
				return x.admit(queue)
			}
			return nil
		},
		ran: func(_ int, ok bool, queue []int) []outcome {
			if ok {
				return nil
			}
			return x.admit(queue)
		},
		check: x.m.waiters.Check,
		done: func(ctx context.Context) string {
			if x.m.readers != x.readers || x.m.writing != x.writing {
				return fmt.Sprintf("%d readers and writing %v, want %d and %v", x.m.readers, x.m.writing, x.readers, x.writing)
			}
			for x.writing || x.readers > 0 {
				x.release()
			}
			if x.m.Lock(ctx) != nil || x.m.TryRLock() {
				return "another task can't have it alone"
			}
			return ""
		},
	}
}

func TestRWMutexInEveryOrder(t *testing.T) {
	for pattern := range 8 {
		for _, heldByReader := range []bool{false, true} {
			kinds := [3]bool{pattern&1 != 0, pattern&2 != 0, pattern&4 != 0}
			if heldByReader && !kinds[0] {
				continue // the first would not have to wait
			}
			enumerate(t, func(context.Context, int) contest {
				x := &rwModel{kinds: kinds, writing: !heldByReader}
				if heldByReader {
					x.m.TryRLock()
					x.readers = 1
				} else {
					x.m.TryLock()
				}
				return x.contest()
			})
		}
	}
}

// Readers hold the lock together, a writer alone; a task that comes after a
// waiting writer waits behind it, so that it does not starve.
func TestRWMutexOrder(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		var m RWMutex
		read := func(name string) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				m.RLock(ctx)
				tr.add("%s+", name)
				yields(ctx, 2)
				tr.add("%s-", name)
				m.RUnlock()
				return nil
			}
		}
		write := func(ctx context.Context) error {
			m.Lock(ctx)
			tr.add("w+")
			yields(ctx, 2)
			tr.add("w-")
			m.Unlock()
			return nil
		}
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(read("a"))
			g.Go(read("b"))
			g.Go(write)
			g.Go(read("c"))
			g.Go(read("d"))
			return nil
		})
	})
	tr.want(t, "a+ b+ a- b- w+ w- c+ d+ c- d-")
}

func TestRWMutexTry(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m RWMutex
		first, second := m.TryRLock(), m.TryRLock()
		if !first || !second || m.TryLock() {
			t.Error("readers don't share, or a writer came in")
		}
		locked := false
		writer := GoNow(ctx, func(ctx context.Context) error {
			err := m.Lock(ctx)
			locked = true
			yields(ctx, 5)
			m.Unlock()
			return err
		})
		if m.TryRLock() {
			t.Error("a reader overtook a waiting writer")
		}
		m.RUnlock()
		m.RUnlock()
		yields(ctx, 2)
		if !locked || m.TryRLock() || m.TryLock() {
			t.Error("somebody came in beside a writer")
		}
		if err := writer.Wait(ctx); err != nil {
			t.Error(err)
		}
		if !m.TryLock() {
			t.Error("not free")
		}
		return nil
	})
}

func TestRWMutexMisuse(t *testing.T) {
	var m RWMutex
	wantPanic(t, "not locked for writing", m.Unlock)
	wantPanic(t, "not locked for reading", m.RUnlock)
	m.TryLock()
	wantPanic(t, "not locked for reading", m.RUnlock)
	m.Unlock()
	m.TryRLock()
	wantPanic(t, "not locked for writing", m.Unlock)
}

func TestRWMutexAllocatesNothing(t *testing.T) {
	var m RWMutex
	allocsPerRun(t, 0, func(ctx context.Context) {
		m.Lock(ctx)
		m.Unlock()
		m.RLock(ctx)
		m.RUnlock()
	})
}
