package reactor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestSemaphoreInEveryOrder(t *testing.T) {
	const total = 3
	for _, weights := range [][3]int{{1, 1, 1}, {3, 1, 1}, {1, 3, 1}, {2, 1, 3}, {2, 2, 0}} {
		enumerate(t, func(context.Context, int) contest {
			m := NewSemaphore(total)
			m.TryAcquire(total)
			free := 0
			grant := func(queue []int) (served []outcome) {
				for _, i := range queue {
					if weights[i] > free {
						break
					}
					free -= weights[i]
					served = append(served, outcome{who: i})
				}
				return served
			}
			return contest{
				wait: func(ctx context.Context, i int) (string, error) { return "", m.Acquire(ctx, weights[i]) },
				wake: func(queue []int) []outcome {
					if free == total {
						return nil
					}
					m.Release(1)
					free++
					return grant(queue)
				},
				ran: func(_ int, ok bool, queue []int) []outcome {
					if ok {
						return nil
					}
					return grant(queue)
				},
				check: m.waiters.Check,
				done: func(ctx context.Context) string {
					if m.Free() != free {
						return fmt.Sprintf("%d permits free, want %d", m.Free(), free)
					}
					m.Release(total - free)
					if err := m.Acquire(ctx, total); err != nil || m.Free() != 0 {
						return "another task can't have all permits"
					}
					return ""
				},
			}
		})
	}
}

// A task that needs many permits is not overtaken by others that need few,
// whether they wait or try.
func TestSemaphoreIsFIFO(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		m := NewSemaphore(3)
		m.Acquire(ctx, 2)
		take := func(n int) *Task[struct{}] {
			return GoNow(ctx, func(ctx context.Context) error {
				err := m.Acquire(ctx, n)
				tr.add("%d", n)
				return err
			})
		}
		many, few := take(3), take(1)
		if m.TryAcquire(1) {
			t.Error("TryAcquire overtook one that waits")
		}
		m.Release(1)
		yields(ctx, 2)
		tr.add("-")
		m.Release(1)
		many.Wait(ctx)
		m.Release(3)
		return few.Wait(ctx)
	})
	tr.want(t, "- 3 1")
}

func TestSemaphoreRefuses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		m := NewSemaphore(2)
		for _, n := range []int{3, -1, math.MaxInt, math.MinInt} {
			if err := m.Acquire(ctx, n); err == nil || !strings.Contains(err.Error(), "2 permits in all") {
				t.Errorf("Acquire(%d) returned %v", n, err)
			}
			if m.TryAcquire(n) {
				t.Errorf("TryAcquire(%d)", n)
			}
		}
		if m.Free() != 2 || !m.TryAcquire(2) || m.TryAcquire(1) || !m.TryAcquire(0) {
			t.Error("the permits are not all there")
		}
		m.Release(2)
		if err := m.Acquire(doneCtx(ctx), 1); !errors.Is(err, errBoom) || m.Free() != 2 {
			t.Errorf("under a done ctx: %v, %d free", err, m.Free())
		}
		var none Semaphore
		if err := none.Acquire(ctx, 0); err != nil {
			t.Error(err)
		}
		if none.Acquire(ctx, 1) == nil {
			t.Error("the zero Semaphore had a permit")
		}
		return nil
	})
}

func TestSemaphoreMisuse(t *testing.T) {
	wantPanic(t, "negative", func() { NewSemaphore(-1) })
	m := NewSemaphore(2)
	m.TryAcquire(1)
	for _, n := range []int{2, -1, math.MaxInt, math.MinInt} {
		wantPanic(t, "more permits than were taken", func() { m.Release(n) })
	}
	m.Release(1)
	if m.Free() != 2 {
		t.Errorf("%d permits", m.Free())
	}
}

func TestSemaphoreAllocatesNothing(t *testing.T) {
	m := NewSemaphore(2)
	allocsPerRun(t, 0, func(ctx context.Context) {
		m.Acquire(ctx, 2)
		m.Release(2)
	})
}
