package reactor

import (
	"context"
	"strings"
	"testing"
)

// A permits is a semaphore with a model of it: the total and the taken permits,
// the waiters with their numbers, in order, and all results.
type permits struct {
	semaphore    Semaphore
	total, taken int
	tasks        []*Task[struct{}]
	waiters      [][2]int // task, number
	want         map[int]string
}

// settle serves and refuses those who wait.
func (p *permits) settle() {
	var left [][2]int
	for _, w := range p.waiters {
		if w[1] > p.total {
			p.want[w[0]] = "never"
		} else {
			left = append(left, w)
		}
	}
	p.waiters = left
	for len(p.waiters) > 0 && p.taken+p.waiters[0][1] <= p.total {
		w := p.waiters[0]
		p.waiters = p.waiters[1:]
		p.taken += w[1]
		p.want[w[0]] = "got"
	}
}

func (p *permits) acquire(ctx context.Context, n int) {
	i := len(p.tasks)
	p.tasks = append(p.tasks, GoNow(ctx, func(ctx context.Context) error { return p.semaphore.Acquire(ctx, n) }))
	p.waiters = append(p.waiters, [2]int{i, n})
	p.settle()
}

func (p *permits) setTotal(n int) {
	p.semaphore.SetTotal(n)
	p.total = n
	p.settle()
}

var permitActs = []struct {
	name string
	do   func(p *permits, ctx context.Context)
}{
	{"acquire 1", func(p *permits, ctx context.Context) { p.acquire(ctx, 1) }},
	{"acquire 2", func(p *permits, ctx context.Context) { p.acquire(ctx, 2) }},
	{"release", func(p *permits, ctx context.Context) {
		if p.taken > 0 {
			p.semaphore.Release(1)
			p.taken--
			p.settle()
		}
	}},
	{"total 0", func(p *permits, ctx context.Context) { p.setTotal(0) }},
	{"total 1", func(p *permits, ctx context.Context) { p.setTotal(1) }},
	{"total 3", func(p *permits, ctx context.Context) { p.setTotal(3) }},
	{"cancel", func(p *permits, ctx context.Context) {
		if len(p.waiters) == 0 {
			return
		}
		i := p.waiters[0][0]
		p.tasks[i].Cancel(errBoom)
		yields(ctx, 1) // until it has run it stands in nobody's way, but those behind it wait for it
		p.waiters = p.waiters[1:]
		p.want[i] = "cancel"
		p.settle()
	}},
}

// Every sequence of five acts: a semaphore whose total changes grants no more
// than the total, in order, and withdraws no taken permit.
func TestSemaphoreTotalInEveryOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		sequences(len(permitActs), 5, func(seq []int) {
			p := &permits{want: make(map[int]string)}
			p.setTotal(2)
			for place, a := range seq {
				permitActs[a].do(p, ctx)
				if got, want := p.semaphore.Free(), max(0, p.total-p.taken); got != want {
					t.Fatalf("%v: %d free after act %d, want %d", seq, got, place, want)
				}
				if p.semaphore.TryAcquire(4) {
					t.Fatalf("%v: four of %d", seq, p.total)
				}
			}
			yields(ctx, 2)
			for i, task := range p.tasks {
				got := "waits"
				if task.Finished() {
					_, err := task.Result()
					if got = verdict("got", err); strings.Contains(got, "can never succeed") {
						got = "never"
					}
				}
				if want, ended := p.want[i]; ended && got != want || !ended && got != "waits" {
					var names []string
					for _, a := range seq {
						names = append(names, permitActs[a].name)
					}
					t.Fatalf("%q: task %d got %s, want %q", names, i, got, want)
				}
				task.Cancel(nil)
			}
			yields(ctx, 1)
		})
		return nil
	})
}

func TestSemaphoreSetTotalMisuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m Semaphore
		wantPanic(t, "SetTotal of a negative number", func() { m.SetTotal(-1) })
		m.SetTotal(2)
		m.Acquire(ctx, 2)
		m.SetTotal(0)
		if m.TryAcquire(1) || !m.TryAcquire(0) {
			t.Error("nothing can be had, but nothing can")
		}
		m.Release(1)
		wantPanic(t, "more permits than were taken", func() { m.Release(2) })
		m.Release(1)
		m.SetTotal(2)
		m.Acquire(ctx, 1)
		refused := GoNow(ctx, func(ctx context.Context) error { return m.Acquire(ctx, 2) })
		m.SetTotal(1)
		m.SetTotal(5)
		if err := refused.Wait(ctx); err == nil || err.Error() != tooMany(2, 1).Error() {
			t.Errorf("refused with %v", err)
		}
		return nil
	})
}
