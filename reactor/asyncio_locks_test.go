package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A mutex goes to the task that has waited longest. Differs: unlocking one that
// is not locked panics, as in package sync.
func TestCase44MutexFIFO(t *testing.T) {
	p := replay(t, `
		a0 b0 c0 a1 b1 a2
		asyncio| RuntimeError Lock is not acquired.
		eddy| panic reactor: Unlock of a Mutex that is not locked`)
	p.main(func(ctx context.Context) {
		var lk reactor.Mutex
		var out []string
		w := func(name string, rounds int) func(ctx context.Context) (struct{}, error) {
			return func(ctx context.Context) (none struct{}, err error) {
				for i := range rounds {
					if err := lk.Lock(ctx); err != nil {
						return none, err
					}
					out = append(out, fmt.Sprint(name, i))
					reactor.Yield(ctx)
					lk.Unlock()
				}
				return none, nil
			}
		}
		reactor.Gather(ctx, w("a", 3), w("b", 2), w("c", 1))
		p.print(strings.Join(out, " "))
		p.print("panic", panicked(lk.Unlock))
	})
}

// A pulse, Set and Clear at once, releases all waiting tasks, but no later
// ones.
func TestCase46EventPulse(t *testing.T) {
	p := replay(t, `
		[(0, False), (1, False), (2, False)] False`)
	p.main(func(ctx context.Context) {
		var e reactor.Event
		var out []string
		w := func(n int) *reactor.Task[struct{}] {
			return reactor.Go(ctx, func(ctx context.Context) error {
				if err := e.Wait(ctx); err != nil {
					return err
				}
				out = append(out, fmt.Sprintf("(%d, %s)", n, repr(e.IsSet())))
				return nil
			})
		}
		ts := []*reactor.Task[struct{}]{w(0), w(1), w(2)}
		reactor.Yield(ctx)
		e.Set()
		e.Clear()
		late := w(3)
		wait(ctx, ts...)
		reactor.Sleep(ctx, 10*ms)
		p.print("["+strings.Join(out, ", ")+"]", late.Finished())
		late.Cancel(nil)
	})
}

// condWaiter is a task that waits for a condition once.
func condWaiter(ctx context.Context, c *reactor.Cond, woken func(err error)) *reactor.Task[struct{}] {
	return reactor.Go(ctx, func(ctx context.Context) error {
		if err := c.L.Lock(ctx); err != nil {
			return err
		}
		defer c.L.Unlock()
		err := c.Wait(ctx)
		woken(err)
		return err
	})
}

// A notification is not lost. Differs: the task that got it keeps it, though it
// is cancelled in the same turn; asyncio passes it on to the next.
func TestCase48NotifyAndCancel(t *testing.T) {
	p := replay(t, `
		asyncio| a cancelled True b woke True ['b']
		eddy| a cancelled False b woke False ['a']`)
	p.main(func(ctx context.Context) {
		c := reactor.Cond{L: &reactor.Mutex{}}
		var out []string
		w := func(name string) *reactor.Task[struct{}] {
			return condWaiter(ctx, &c, func(err error) {
				if err == nil {
					out = append(out, name)
				}
			})
		}
		a, b := w("a"), w("b")
		reactor.Yield(ctx)
		c.L.Lock(ctx)
		c.Signal()
		a.Cancel(nil)
		c.L.Unlock()
		reactor.Timeout(ctx, 50*ms, func(ctx context.Context) error {
			_, _, err := reactor.Wait(ctx, reactor.AllDone, a, b)
			return err
		})
		p.print("a cancelled", cancelled(a), "b woke", b.Finished(), out)
		b.Cancel(nil)
	})
}

// A task that is cancelled while it waits for a condition has the mutex again
// before Wait returns.
func TestCase49CondRelocks(t *testing.T) {
	p := replay(t, `
		t done while I hold the lock: False | cancelled, lock held=True`)
	p.main(func(ctx context.Context) {
		c := reactor.Cond{L: &reactor.Mutex{}}
		var out []string
		task := condWaiter(ctx, &c, func(err error) {
			if errors.Is(err, context.Canceled) {
				out = append(out, "cancelled, lock held="+repr(c.L.Locked()))
			}
		})
		reactor.Yield(ctx)
		c.L.Lock(ctx)
		task.Cancel(nil)
		reactor.Sleep(ctx, 10*ms)
		out = append(out, "t done while I hold the lock: "+repr(task.Finished()))
		c.L.Unlock()
		wait(ctx, task)
		p.print(strings.Join(out, " | "))
	})
}

// Waiting tasks get permits in the order of their calls, and a later task does
// not overtake. Differs: misuse is a panic, and every semaphore is bounded.
func TestCase50SemaphoreFIFO(t *testing.T) {
	p := replay(t, `
		locked() right after release: True
		[0, 2, 3, 'newcomer'] 1
		asyncio| ValueError BoundedSemaphore released too many times
		asyncio| ValueError Semaphore initial value must be >= 0
		eddy| panic reactor: Semaphore.Release of more permits than were taken
		eddy| panic reactor: NewSemaphore with a negative number of permits`)
	p.main(func(ctx context.Context) {
		s := reactor.NewSemaphore(1)
		var out []string
		w := func(name string) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if err := s.Acquire(ctx, 1); err != nil {
					return err
				}
				defer s.Release(1)
				out = append(out, name)
				return reactor.Yield(ctx)
			}
		}
		s.Acquire(ctx, 1)
		var ts []*reactor.Task[struct{}]
		for _, name := range []string{"0", "1", "2", "3"} {
			ts = append(ts, reactor.Go(ctx, w(name)))
		}
		reactor.Yield(ctx)
		ts[1].Cancel(nil)
		s.Release(1)
		p.print("locked() right after release:", s.Free() == 0)
		w("'newcomer'")(ctx)
		wait(ctx, ts...)
		p.print("["+strings.Join(out, ", ")+"]", s.Free())
		p.print("panic", panicked(func() { s.Release(1) }))
		p.print("panic", panicked(func() { reactor.NewSemaphore(-1) }))
	})
}

// Waiting tasks get items in the order of their calls, and none is lost.
// Differs: an item is given to a task and not merely announced, so a task that
// is cancelled in the same turn returns it.
func TestCase52QueueGetters(t *testing.T) {
	p := replay(t, `
		asyncio| [('b', 1)] 0
		asyncio| [('b', 1), ('c', 2)]
		eddy| [('a', 1)] 0
		eddy| [('a', 1), ('b', 2)]`)
	p.main(func(ctx context.Context) {
		var q reactor.Queue[int]
		var out []string
		var ts []*reactor.Task[struct{}]
		for _, name := range []string{"a", "b", "c"} {
			ts = append(ts, reactor.Go(ctx, func(ctx context.Context) error {
				item, err := q.Get(ctx)
				if err == nil {
					out = append(out, fmt.Sprintf("('%s', %d)", name, item))
				}
				return err
			}))
		}
		show := func() string { return "[" + strings.Join(out, ", ") + "]" }
		reactor.Yield(ctx)
		q.TryPut(1)
		ts[0].Cancel(nil)
		reactor.Sleep(ctx, 10*ms)
		p.print(show(), q.Len())
		q.TryPut(2)
		wait(ctx, ts[:2]...)
		p.print(show())
		ts[2].Cancel(nil)
	})
}

// A closed queue accepts no more items, returns those it has, and wakes all
// waiting tasks. Differs: the caller must discard its items, and an item that
// was put counts for Join until TaskDone is called.
func TestCase81QueueClose(t *testing.T) {
	p := replay(t, `
		putter QueueShutDown
		1 2
		QueueShutDown
		QueueShutDown
		join released 0
		['getter QueueShutDown', 'getter QueueShutDown']`)
	p.main(func(ctx context.Context) {
		q := reactor.Queue[int]{Max: 2}
		q.TryPut(1)
		q.TryPut(2)
		putter := reactor.Go(ctx, func(ctx context.Context) error { return q.Put(ctx, 3) })
		reactor.Yield(ctx)
		q.Close()
		p.print("putter", putter.Wait(ctx))
		one, _ := q.Get(ctx)
		two, _ := q.TryGet()
		p.print(one, two)
		_, err := q.TryGet()
		p.print(err)
		p.print(q.TryPut(1))

		var q2 reactor.Queue[int]
		q2.TryPut(1)
		join := reactor.Go(ctx, q2.Join)
		reactor.Yield(ctx)
		q2.Close()
		for range q2.All(ctx) { // asyncio: shutdown(immediate=True)
			q2.TaskDone()
		}
		if err := reactor.Timeout(ctx, time.Second, join.Wait); err == nil {
			p.print("join released", q2.Len())
		}

		var q3 reactor.Queue[int]
		getter := func(ctx context.Context) (string, error) {
			_, err := q3.Get(ctx)
			return "getter " + errorName(err), nil
		}
		ts := []*reactor.Task[string]{reactor.Async(ctx, getter), reactor.Async(ctx, getter)}
		reactor.Yield(ctx)
		q3.Close()
		values, _ := reactor.Gather(ctx, ts[0].Await, ts[1].Await)
		p.print(values)
	})
}
