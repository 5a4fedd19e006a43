package reactor

import (
	"context"
	"errors"
	"testing"
)

func TestMutexInEveryOrder(t *testing.T) {
	enumerate(t, func(context.Context, int) contest {
		var m Mutex
		m.TryLock()
		locked := true
		return contest{
			wait: func(ctx context.Context, i int) (string, error) {
				err := m.Lock(ctx)
				if err == nil {
					m.holder.leave() // it ends, and the model unlocks
				}
				return "", err
			},
			wake: func(queue []int) []outcome {
				if !locked {
					return nil
				}
				m.holder.leave() // the model unlocks for all
				m.Unlock()
				locked = len(queue) > 0
				return first(queue)
			},
			check: m.waiters.Check,
			done: func(ctx context.Context) string {
				if m.Locked() != locked {
					return "the mutex is not as the model has it"
				}
				if locked {
					m.holder.leave()
					m.Unlock()
				}
				if m.Locked() || m.Lock(ctx) != nil || m.TryLock() {
					return "another task can't have it alone"
				}
				return ""
			},
		}
	})
}

// A task that unlocks and locks again does not get in before those who wait.
func TestMutexHasNoBarging(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		var m Mutex
		inside := 0
		worker := func(name string) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				for range 2 {
					if err := m.Lock(ctx); err != nil {
						return err
					}
					if inside++; inside > 1 {
						t.Error("two inside")
					}
					tr.add("%s", name)
					Yield(ctx)
					inside--
					m.Unlock()
				}
				return nil
			}
		}
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for _, name := range []string{"a", "b", "c"} {
				g.Go(worker(name))
			}
			return nil
		})
	})
	tr.want(t, "a b c a b c")
}

func TestMutexTryLock(t *testing.T) {
	var m Mutex
	if m.Locked() || !m.TryLock() || !m.Locked() || m.TryLock() {
		t.Error("TryLock is wrong")
	}
	m.Unlock()
	if m.Locked() || !m.TryLock() {
		t.Error("Unlock is wrong")
	}
}

// A free mutex is not taken under a ctx that is done.
func TestMutexUnderADoneCtx(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m Mutex
		if err := m.Lock(doneCtx(ctx)); !errors.Is(err, errBoom) || m.Locked() {
			t.Errorf("Lock returned %v, locked: %v", err, m.Locked())
		}
		return nil
	})
}

func TestMutexMisuse(t *testing.T) {
	var m Mutex
	wantPanic(t, "not locked", m.Unlock)
	wantPanic(t, "outside a task", func() { m.Lock(context.Background()) })
	run(t, func(ctx context.Context) error {
		m.Lock(ctx)
		waiting := GoNow(ctx, m.Lock)
		if got := elsewhere(m.Unlock); got == "" {
			t.Error("another goroutine unlocked what a task waits for")
		}
		m.Unlock()
		return waiting.Wait(ctx)
	})
}

func TestMutexAllocatesNothing(t *testing.T) {
	var m Mutex
	allocsPerRun(t, 0, func(ctx context.Context) {
		m.Lock(ctx)
		m.Unlock()
	})
}
