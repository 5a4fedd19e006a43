package reactor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor"
)

// Steps that occupy the thread for long are reported. Differs: there is no
// debug mode; calls from the wrong goroutine are always detected.
func TestCase67SlowStep(t *testing.T) {
	p := replay(t, `
		asyncio| True 0.1
		asyncio| WARNING Executing ... took
		eddy| a task was slow: 150ms
		asyncio| Non-thread-safe operation invoked on an event loop other than the current one
		eddy| panic reactor: CallSoon from a goroutine that is not the running task of this ctx's loop`)
	p.options.SlowStep = 100 * ms
	p.options.OnError = func(r reactor.Report) {
		if errors.Is(r.Err, reactor.ErrSlow) && strings.Contains(r.Err.Error(), "(150ms)") {
			p.print(r.What + ": 150ms")
		}
	}
	p.main(func(ctx context.Context) {
		reactor.Go(ctx, func(context.Context) error {
			p.compute(150 * ms)
			return nil
		}).Wait(ctx)
		reactor.Go(ctx, func(context.Context) error { // not slow
			p.compute(50 * ms)
			return nil
		}).Wait(ctx)
		loop := reactor.LoopOf(ctx)
		value, _ := reactor.ToThread(ctx, func(context.Context) (any, error) {
			return panicked(func() { loop.CallSoon(func() {}) }), nil
		})
		what, _, _ := strings.Cut(repr(value), ": use Loop.Post")
		p.print("panic", what)
	})
}

func leaf(ctx context.Context, f *reactor.Future[int]) error {
	_, err := f.Await(ctx)
	return err
}

func mid(ctx context.Context, f *reactor.Future[int]) error { return leaf(ctx, f) }

// Tasks have names, can be listed, and describe what they wait for. Differs:
// their frames can't be inspected.
func TestCase68Introspection(t *testing.T) {
	p := replay(t, `
		asyncio| ['T', 'Task-1'] Task-1 mid
		asyncio| ['mid']
		asyncio| cr_await chain: leaf True
		eddy| ['T', 'Task-1'] Task-1 TestCase68Introspection
		eddy| task 2 (T) waits for a future
		eddy| True
		False
		True True`)
	p.main(func(ctx context.Context) {
		reactor.Current(ctx).SetName("Task-1")
		var f reactor.Future[int]
		task := reactor.Go(ctx, func(ctx context.Context) error { return mid(ctx, &f) })
		function := nameOf(task)
		task.SetName("T")
		reactor.Yield(ctx)
		var names []string
		for _, t := range reactor.AllTasks(ctx) {
			names = append(names, nameOf(t))
		}
		slices.Sort(names)
		p.print(names, nameOf(reactor.Current(ctx)), strings.Split(function, ".")[1])
		for line := range strings.Lines(reactor.Dump(ctx)) {
			if strings.Contains(line, "(T)") {
				p.print(line)
			}
		}
		isListed := func() bool {
			return slices.ContainsFunc(reactor.AllTasks(ctx), func(t reactor.AnyTask) bool { return nameOf(t) == "T" })
		}
		p.print(isListed())
		f.SetResult(0)
		task.Wait(ctx)
		p.print(isListed())
		p.print(task.Finished(), nameOf(task) == "T")
	})
}

// A generator whose body awaits: sent values, thrown errors, closing, and a
// second task that comes while it runs.
func TestCase74AsyncGenerator(t *testing.T) {
	p := replay(t, `
		asend v
		1 2
		agen fin
		[]
		caught
		agen fin
		asend None
		RuntimeError anext(): asynchronous generator is already running
		2
		agen fin
		TypeError can't send non-None value to a just-started async generator`)
	keyError := raised("KeyError()")
	p.main(func(ctx context.Context) {
		ag := func() *coro.Generator[any, any, any] {
			return reactor.Generate(ctx, func(ctx context.Context, y *coro.Yielder[any, any]) (any, error) {
				defer p.print("agen fin")
				x, err := y.Yield(1)
				if err == keyError {
					_, err = y.Yield("caught")
				}
				if err != nil {
					return nil, err
				}
				p.print("asend", x)
				if err := reactor.Sleep(ctx, 10*ms); err != nil {
					return nil, err
				}
				_, err = y.Yield(2)
				return nil, err
			})
		}
		a := ag()
		one, _ := a.Next()
		two, _ := a.Send("v")
		p.print(one, two)
		a.Close()
		var rest []int
		for range a.All() {
			rest = append(rest, 0)
		}
		p.print(rest)

		b := ag()
		b.Next()
		caught, _ := b.Throw(keyError)
		p.print(caught)
		b.Close()

		c := ag()
		c.Next()
		task := reactor.Async(ctx, func(context.Context) (any, error) { return c.Next() })
		reactor.Yield(ctx)
		_, err := c.Next()
		p.print(err)
		two, _ = task.Await(ctx)
		p.print(two)
		c.Close()

		_, err = ag().Send(1)
		p.print(err)
	})
}

// An eager task runs at once until it suspends, and its errors are its own.
func TestCase80EagerTasks(t *testing.T) {
	p := replay(t, `
		kid ran, current=Task-2
		created done=True current=Task-1
		b start
		b created
		b end
		bad done=True
		ValueError('eager')`)
	current := func(ctx context.Context) string {
		number := strings.Fields(reactor.Current(ctx).String())[1]
		return "current=Task-" + number
	}
	p.main(func(ctx context.Context) {
		kid := named("K", reactor.GoNow(ctx, func(ctx context.Context) error {
			p.print("kid ran,", current(ctx))
			return nil
		}))
		p.print("created done="+repr(kid.Finished()), current(ctx))
		b := reactor.GoNow(ctx, func(ctx context.Context) error {
			p.print("b start")
			err := reactor.Yield(ctx)
			p.print("b end")
			return err
		})
		p.print("b created")
		b.Wait(ctx)
		bad := reactor.AsyncNow(ctx, func(context.Context) (int, error) { return 0, raised("ValueError('eager')") })
		p.print("bad done=" + repr(bad.Finished()))
		p.print(bad.Wait(ctx))
	})
}

// Outside a loop there is no current loop, and no task can be made. Differs:
// the compiler rejects what is not a function, and a timeout is a call, not an
// object.
func TestCase87Misuse(t *testing.T) {
	p := replay(t, `
		RuntimeError no running event loop
		RuntimeError no running event loop
		RuntimeError no running event loop
		asyncio| TypeError a coroutine was expected, got 1
		asyncio| TypeError An asyncio.Future, a coroutine or an awaitable is required
		asyncio| TypeError A coroutine object is required
		asyncio| RuntimeError Timeout has already been entered
		Lock is not re-entrant
		True`)
	outside := context.Background()
	noLoop := func(is bool) {
		if is {
			p.print("RuntimeError no running event loop")
		}
	}
	sleep := func(ctx context.Context) error { return reactor.Yield(ctx) }
	noLoop(reactor.LoopOf(outside) == nil)
	noLoop(reactor.Current(outside) == nil)
	noLoop(strings.Contains(repr(panicked(func() { reactor.Go(outside, sleep) })), "outside a task"))
	p.main(func(ctx context.Context) {
		var lk reactor.Mutex
		lk.Lock(ctx)
		if errors.Is(reactor.Timeout(ctx, 10*ms, lk.Lock), reactor.ErrSelf) { // asyncio's waits, until its timeout
			p.print("Lock is not re-entrant")
		}
		lk.Unlock()
		p.print(strings.HasPrefix(reactor.Go(ctx, sleep).String(), "task "))
		reactor.Sleep(ctx, time.Second)
	})
}
