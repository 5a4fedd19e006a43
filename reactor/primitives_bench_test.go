package reactor

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// The primitives without waiting: the cost of a free lock.
func BenchmarkUncontended(b *testing.B) {
	var m Mutex
	var rw RWMutex
	var e Event
	var v Watch[int]
	s := NewSemaphore(2)
	one := NewBarrier(1)
	fifo, lifo := Queue[int]{Max: 8}, LifoQueue[int]{}
	least := PriorityQueue[int]{Less: func(a, b int) bool { return a < b }}
	e.Set()
	v.Set(1)
	for _, c := range []struct {
		name string
		f    func(ctx context.Context)
	}{
		{"Mutex", func(ctx context.Context) { m.Lock(ctx); m.Unlock() }},
		{"RWMutex read", func(ctx context.Context) { rw.RLock(ctx); rw.RUnlock() }},
		{"RWMutex write", func(ctx context.Context) { rw.Lock(ctx); rw.Unlock() }},
		{"Semaphore", func(ctx context.Context) { s.Acquire(ctx, 1); s.Release(1) }},
		{"Event", func(ctx context.Context) { e.Wait(ctx) }},
		{"Barrier", func(ctx context.Context) { one.Wait(ctx) }},
		{"Watch", func(ctx context.Context) { v.Next(ctx, 0) }},
		{"Queue", func(ctx context.Context) { fifo.Put(ctx, 1); fifo.Get(ctx) }},
		{"LifoQueue", func(ctx context.Context) { lifo.Put(ctx, 1); lifo.Get(ctx) }},
		{"PriorityQueue", func(ctx context.Context) { least.Put(ctx, 1); least.Get(ctx) }},
		{"Scope", func(ctx context.Context) { Scope(ctx, func(context.Context, *CancelScope) error { return nil }) }},
		{"GoNow", func(ctx context.Context) { GoNow(ctx, func(context.Context) error { return nil }) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			bench(b, func(ctx context.Context) {
				for b.Loop() {
					c.f(ctx)
				}
			})
		})
	}
	b.Run("go sync.Mutex", func(b *testing.B) {
		var m sync.Mutex
		for b.Loop() {
			m.Lock()
			//lint:ignore SA2001 the lock itself is what is measured
			m.Unlock()
		}
	})
	b.Run("go channel", func(b *testing.B) {
		ch := make(chan int, 8)
		for b.Loop() {
			ch <- 1
			<-ch
		}
	})
}

const crowd = 1000

// crowded makes a thousand tasks call f in loops, and measures the time until
// it has been called b.N times.
func crowded(b *testing.B, f func(ctx context.Context) error) {
	b.Helper()
	bench(b, func(ctx context.Context) {
		done := 0
		var all Event
		tasks := make([]*Task[struct{}], crowd)
		for i := range tasks {
			tasks[i] = GoNow(ctx, func(ctx context.Context) error {
				Yield(ctx)
				for {
					if err := f(ctx); err != nil {
						return err
					}
					if done++; done == b.N {
						all.Set()
					}
				}
			})
		}
		b.ResetTimer()
		all.Wait(ctx)
		b.StopTimer()
		for _, t := range tasks {
			t.Cancel(nil)
		}
	})
}

// The primitives with a thousand tasks that want them. Each operation suspends.
func BenchmarkThousandWaiters(b *testing.B) {
	b.Run("Mutex", func(b *testing.B) {
		var m Mutex
		crowded(b, func(ctx context.Context) error {
			err := m.Lock(ctx)
			if err == nil {
				Yield(ctx)
				m.Unlock()
			}
			return err
		})
	})
	b.Run("RWMutex", func(b *testing.B) {
		var m RWMutex
		crowded(b, func(ctx context.Context) error {
			err := m.Lock(ctx)
			if err == nil {
				Yield(ctx)
				m.Unlock()
			}
			return err
		})
	})
	b.Run("Semaphore", func(b *testing.B) {
		m := NewSemaphore(10)
		crowded(b, func(ctx context.Context) error {
			err := m.Acquire(ctx, 1)
			if err == nil {
				Yield(ctx)
				m.Release(1)
			}
			return err
		})
	})
	b.Run("Barrier", func(b *testing.B) {
		m := NewBarrier(crowd)
		crowded(b, func(ctx context.Context) error {
			_, err := m.Wait(ctx)
			return err
		})
	})
	b.Run("Event", func(b *testing.B) {
		wakeAll(b, func() (wait func(ctx context.Context) error, wake func()) {
			var e Event
			return e.Wait, func() { e.Set(); e.Clear() }
		})
	})
	b.Run("Cond", func(b *testing.B) {
		wakeAll(b, func() (wait func(ctx context.Context) error, wake func()) {
			c := Cond{L: new(Mutex)}
			return func(ctx context.Context) error {
					c.L.Lock(ctx)
					defer c.L.Unlock()
					return c.Wait(ctx)
				}, func() {
					if c.L.TryLock() {
						c.Broadcast()
						c.L.Unlock()
					}
				}
		})
	})
	b.Run("Watch", func(b *testing.B) {
		wakeAll(b, func() (wait func(ctx context.Context) error, wake func()) {
			var v Watch[int]
			return func(ctx context.Context) error {
				_, version := v.Get()
				_, _, err := v.Next(ctx, version)
				return err
			}, func() { v.Set(1) }
		})
	})
	for _, kind := range queueKinds {
		b.Run(fmt.Sprint(kind), func(b *testing.B) {
			wakeAll(b, func() (wait func(ctx context.Context) error, wake func()) {
				q := newTestQueue(kind, 0)
				return func(ctx context.Context) error {
						_, err := q.Get(ctx)
						return err
					}, func() {
						for i := range crowd {
							q.TryPut(i)
						}
					}
			})
		})
	}
	b.Run("go sync.Mutex", func(b *testing.B) {
		var m sync.Mutex
		var all sync.WaitGroup
		for range crowd {
			all.Go(func() {
				for range b.N/crowd + 1 {
					m.Lock()
					//lint:ignore SA2001 the lock itself is what is measured
					m.Unlock()
				}
			})
		}
		all.Wait()
	})
	b.Run("go channel", func(b *testing.B) {
		ch := make(chan int)
		var all sync.WaitGroup
		for range crowd {
			all.Go(func() {
				for range ch {
				}
			})
		}
		b.ResetTimer()
		for i := range b.N {
			ch <- i
		}
		close(ch)
		all.Wait()
	})
}

// wakeAll measures how long it takes to wake one of a thousand tasks that all
// wait, and until it waits again.
func wakeAll(b *testing.B, make func() (wait func(ctx context.Context) error, wake func())) {
	b.Helper()
	wait, wake := make()
	bench(b, func(ctx context.Context) {
		done := 0
		var tasks []*Task[struct{}]
		for range crowd {
			tasks = append(tasks, GoNow(ctx, func(ctx context.Context) error {
				for {
					if err := wait(ctx); err != nil {
						return err
					}
					done++
				}
			}))
		}
		b.ResetTimer()
		for done < b.N {
			wake()
			Yield(ctx)
		}
		b.StopTimer()
		for _, t := range tasks {
			t.Cancel(nil)
		}
	})
}
