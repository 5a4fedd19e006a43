package reactor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// after returns a coroutine that sleeps and then calls f.
func after[T any](d time.Duration, f func() (T, error)) func(ctx context.Context) (T, error) {
	return func(ctx context.Context) (T, error) {
		if err := reactor.Sleep(ctx, d); err != nil {
			var none T
			return none, err
		}
		return f()
	}
}

// valueAfter returns a coroutine that sleeps and then returns its value.
func valueAfter[T any](d time.Duration, value T) func(ctx context.Context) (T, error) {
	return after(d, func() (T, error) { return value, nil })
}

// The values come in the order of the arguments. The first error is returned at
// once, while the others go on.
func TestCase24Gather(t *testing.T) {
	p := replay(t, `
		done b
		done c
		done a
		['a', 'b', 'c']
		raised boom slow done? False
		done slow
		slow
		[]`)
	ok := func(name string, d time.Duration) func(ctx context.Context) (string, error) {
		return after(d, func() (string, error) {
			p.print("done", name)
			return name, nil
		})
	}
	bad := after(20*ms, func() (string, error) { return "", raised("boom") })
	p.main(func(ctx context.Context) {
		values, _ := reactor.Gather(ctx, ok("a", 60*ms), ok("b", 20*ms), ok("c", 40*ms))
		p.print(values)
		slow := reactor.Async(ctx, ok("slow", 80*ms))
		_, err := reactor.Gather(ctx, slow.Await, bad)
		p.print("raised", err, "slow done?", slow.Finished())
		value, _ := slow.Await(ctx)
		p.print(value)
		none, _ := reactor.Gather[string](ctx)
		p.print(none)
	})
}

// A task can be gathered several times and runs once. Differs: a function that
// is passed twice is called twice.
func TestCase26GatherDuplicates(t *testing.T) {
	p := replay(t, `
		[2, 2, 2] ran 2
		asyncio| [3, 3] ran 3
		eddy| [4, 4] ran 4`)
	n := 0
	f := func(ctx context.Context) (int, error) {
		n++
		err := reactor.Yield(ctx)
		return n, err
	}
	p.main(func(ctx context.Context) {
		task := reactor.Async(ctx, f)
		values, _ := reactor.Gather(ctx, task.Await, f, task.Await)
		p.print(values, "ran", n)
		values, _ = reactor.Gather(ctx, f, f)
		p.print(values, "ran", n)
	})
}

// Wait cancels no task and returns no task's error, and within a Timeout it
// returns which tasks are pending. Differs: the compiler rejects a coroutine in
// place of a task.
func TestCase27WaitModes(t *testing.T) {
	p := replay(t, `
		FIRST_COMPLETED ['a'] ['b', 'c']
		FIRST_EXCEPTION ['a', 'b'] ['c']
		timeout ['a', 'b'] ['c']
		ALL ['a', 'b', 'c'] []
		cancelled ['x', 'y'] []
		ValueError Set of Tasks/Futures is empty.
		asyncio| TypeError Passing coroutines is forbidden, use tasks explicitly.`)
	names := func(ts []reactor.AnyTask) []string {
		var all []string
		for _, t := range ts {
			all = append(all, nameOf(t))
		}
		slices.Sort(all)
		return all
	}
	show := func(tag string, done, pending []reactor.AnyTask, _ error) { p.print(tag, names(done), names(pending)) }
	p.main(func(ctx context.Context) {
		ok := func(name string, d time.Duration) *reactor.Task[string] {
			return named(name, reactor.Async(ctx, valueAfter(d, name)))
		}
		b := reactor.Async(ctx, after(60*ms, func() (string, error) { return "", raised("ValueError(0.06)") }))
		ts := anyTasks([]*reactor.Task[string]{ok("a", 20*ms), named("b", b), ok("c", 120*ms)})
		done, pending, err := reactor.Wait(ctx, reactor.FirstDone, ts...)
		show("FIRST_COMPLETED", done, pending, err)
		done, pending, err = reactor.Wait(ctx, reactor.FirstFailed, ts...)
		show("FIRST_EXCEPTION", done, pending, err)
		reactor.Timeout(ctx, 10*ms, func(ctx context.Context) error {
			done, pending, err = reactor.Wait(ctx, reactor.AllDone, ts...)
			return err
		})
		show("timeout", done, pending, err)
		done, pending, err = reactor.Wait(ctx, reactor.AllDone, ts...)
		show("ALL", done, pending, err)
		b.Result()

		x, y := ok("x", 9*time.Second), ok("y", 30*ms)
		x.Cancel(nil) // a cancelled task counts as none that failed
		done, pending, err = reactor.Wait[reactor.AnyTask](ctx, reactor.FirstFailed, x, y)
		show("cancelled", done, pending, err)
		if _, _, err = reactor.Wait[reactor.AnyTask](ctx, reactor.AllDone); err != nil && strings.Contains(err.Error(), "without tasks") {
			p.print("ValueError Set of Tasks/Futures is empty.")
		}
	})
}

// Cancelling a waiting task does not cancel the tasks that it waits for.
func TestCase28WaitCancelled(t *testing.T) {
	p := replay(t, `
		True False alive`)
	p.main(func(ctx context.Context) {
		task := reactor.Async(ctx, valueAfter(30*ms, "alive"))
		o := reactor.Go(ctx, func(ctx context.Context) error {
			_, _, err := reactor.Wait(ctx, reactor.AllDone, task)
			return err
		})
		reactor.Sleep(ctx, 10*ms)
		o.Cancel(nil)
		wait(ctx, o)
		early := cancelled(task)
		value, _ := task.Await(ctx)
		p.print(cancelled(o), early, value)
	})
}

// A Timeout returns when its function has, cleanup and all, and returns what
// that returns. Differs: errors are not chained.
func TestCase29TimeoutWaitsForCleanup(t *testing.T) {
	p := replay(t, `
		inner cleanup finished
		asyncio| TimeoutError cause: CancelledError
		eddy| TimeoutError
		stubborn value
		asyncio| KeyError cause: NoneType
		eddy| KeyError`)
	slow := func(ctx context.Context) (string, error) {
		err := reactor.Sleep(ctx, 9*time.Second)
		reactor.Sleep(context.WithoutCancel(ctx), 30*ms)
		p.print("inner cleanup finished")
		return "", err
	}
	stubborn := func(ctx context.Context) (string, error) {
		reactor.Sleep(ctx, 9*time.Second)
		return "stubborn value", nil
	}
	failing := func(ctx context.Context) (string, error) {
		reactor.Sleep(ctx, 9*time.Second)
		return "", raised("KeyError")
	}
	p.main(func(ctx context.Context) {
		for _, f := range []func(context.Context) (string, error){slow, stubborn, failing} {
			var value string
			err := reactor.Timeout(ctx, 20*ms, func(ctx context.Context) (err error) {
				value, err = f(ctx)
				return err
			})
			if err != nil {
				p.print(err)
			} else {
				p.print(value)
			}
		}
	})
}

// Differs: a task is woken once, by the first event. If that is a result, a
// cancellation in the same turn is not lost: the next await returns it.
func TestCase31ResultAndCancel(t *testing.T) {
	p := replay(t, `
		asyncio| CancelledError
		eddy| returned value
		eddy| next await: CancelledError`)
	p.main(func(ctx context.Context) {
		var f reactor.Future[string]
		task := reactor.Go(ctx, func(ctx context.Context) error {
			return reactor.Timeout(ctx, 10*time.Second, func(ctx context.Context) error {
				value, err := f.Await(ctx)
				if err != nil {
					return err
				}
				p.print("returned", value)
				err = reactor.Yield(ctx)
				p.print("next await:", err)
				return err
			})
		})
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		f.SetResult("value")
		task.Cancel(nil)
		wait(ctx, task)
		if !cancelled(task) {
			p.print("the cancellation was lost")
		}
	})
}

// Tasks are yielded as they end; a timeout of the waiting task does not affect
// them.
func TestCase32AsCompleted(t *testing.T) {
	p := replay(t, `
		['b', 'c', 'a']
		q
		TimeoutError; slow cancelled? False done? False`)
	p.main(func(ctx context.Context) {
		w := func(name string, d time.Duration) *reactor.Task[string] {
			return reactor.Async(ctx, valueAfter(d, name))
		}
		var all []string
		for task := range reactor.AsCompleted(ctx, w("a", 60*ms), w("b", 20*ms), w("c", 40*ms)) {
			value, _ := task.Result()
			all = append(all, value)
		}
		p.print(all)
		slow, q := w("slow", 9*time.Second), w("q", 10*ms)
		reactor.Timeout(ctx, 40*ms, func(ctx context.Context) error {
			for task, err := range reactor.AsCompleted(ctx, slow, q) {
				if errors.Is(err, context.DeadlineExceeded) {
					p.print("TimeoutError; slow cancelled?", cancelled(slow), "done?", slow.Finished())
					return err
				}
				value, _ := task.Result()
				p.print(value)
			}
			return nil
		})
		slow.Cancel(nil)
	})
}

// AsCompleted yields the tasks themselves.
func TestCase82AsCompletedTasks(t *testing.T) {
	p := replay(t, `
		b b
		a a`)
	p.main(func(ctx context.Context) {
		a := named("a", reactor.Async(ctx, valueAfter(40*ms, "a")))
		b := named("b", reactor.Async(ctx, valueAfter(20*ms, "b")))
		for task := range reactor.AsCompleted(ctx, a, b) {
			value, _ := task.Await(ctx)
			p.print(nameOf(task), value)
		}
	})
}
