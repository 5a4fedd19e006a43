package reactor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// Awaiting something that is done does not suspend.
func TestCase11AwaitDone(t *testing.T) {
	p := replay(t, `
		awaited 3x | loop turned`)
	p.main(func(ctx context.Context) {
		var out []string
		var f reactor.Future[int]
		f.SetResult(7)
		reactor.LoopOf(ctx).CallSoon(func() { out = append(out, "loop turned") })
		for range 3 {
			f.Await(ctx)
		}
		out = append(out, "awaited 3x")
		reactor.Yield(ctx)
		p.print(strings.Join(out, " | "))
	})
}

// A future is set once. One is cancelled by setting the error that says so, and
// its value and its error are asked for together.
func TestCase12FutureStates(t *testing.T) {
	p := replay(t, `
		InvalidStateError Result is not set.
		asyncio| InvalidStateError Exception is not set.
		eddy| InvalidStateError Result is not set.
		InvalidStateError invalid state
		InvalidStateError invalid state
		False
		1
		None
		True
		False
		True
		CancelledError
		CancelledError
		InvalidStateError invalid state
		None`)
	p.main(func(ctx context.Context) {
		cancel := func(f *reactor.Future[int]) bool { return f.SetError(context.Canceled) == nil }
		result := func(f *reactor.Future[int]) any {
			v, err := f.Result()
			if err != nil {
				return err
			}
			return v
		}
		exception := func(f *reactor.Future[int]) any { _, err := f.Result(); return err }

		var f, g, h reactor.Future[int]
		p.print(result(&f))
		p.print(exception(&f))
		f.SetResult(1)
		p.print(f.SetResult(2))
		p.print(f.SetError(raised("ValueError()")))
		p.print(cancel(&f))
		p.print(result(&f))
		p.print(exception(&f))
		p.print(cancel(&g))
		p.print(cancel(&g))
		p.print(errors.Is(g.SetError(context.Canceled), reactor.ErrSet))
		p.print(result(&g))
		p.print(exception(&g))
		p.print(g.SetResult(1))
		p.print(h.SetError(raised("StopIteration()")))
	})
}

// Callbacks of a task are scheduled in the order of registration and never run
// at once. (The recorded program has them on a future.)
func TestCase13DoneCallbacks(t *testing.T) {
	p := replay(t, `
		set returned | soon-before | c1 | c2 | c1 | added-after-done
		2 0`)
	p.main(func(ctx context.Context) {
		var out []string
		say := func(s string) func() { return func() { out = append(out, s) } }
		f := reactor.Go(ctx, func(ctx context.Context) error {
			reactor.LoopOf(ctx).CallSoon(say("soon-before"))
			say("set returned")()
			return nil
		})
		f.OnDone(say("c1"))
		f.OnDone(say("c2"))
		f.OnDone(say("c1"))
		f.Wait(ctx)
		f.OnDone(say("added-after-done"))
		reactor.Yield(ctx)
		p.print(strings.Join(out, " | "))

		// A callback is taken back by its handle, and not by its value.
		g := reactor.Go(ctx, func(context.Context) error { return nil })
		h1, h2, h3 := g.OnDone(say("c1")), g.OnDone(say("c2")), g.OnDone(say("c1"))
		remove := func(hs ...*reactor.Handle) (n int) {
			for _, h := range hs {
				if h.Cancel() {
					n++
				}
			}
			return n
		}
		p.print(remove(h1, h3), remove(h1, h3))
		h2.Cancel()
	})
}

// Differs: only calls can be awaited, and a function can be called any number
// of times.
func TestCase15BadAwaits(t *testing.T) {
	p := replay(t, `
		RuntimeError: Task cannot await on itself:
		asyncio| RuntimeError: Task got bad yield: 42
		once
		asyncio| RuntimeError: cannot reuse already awaited coroutine
		eddy| once
		RuntimeError: Task
		RuntimeError: asyncio.run() cannot be called from a running event loop`).inRealTime()
	other, end := make(chan *reactor.Task[struct{}]), make(chan struct{})
	ended := make(chan error)
	go func() { // a second loop
		ended <- reactor.Run(context.Background(), func(ctx context.Context) error {
			pending := reactor.Go(ctx, func(ctx context.Context) error { return new(reactor.Event).Wait(ctx) })
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
				other <- pending
				<-end
				return struct{}{}, nil
			})
			return err
		})
	}()
	p.main(func(ctx context.Context) {
		selfwait := reactor.Go(ctx, func(ctx context.Context) error { return reactor.Current(ctx).Wait(ctx) })
		p.print(selfwait.Wait(ctx))

		c := func(ctx context.Context) (string, error) { return "once", reactor.Yield(ctx) }
		for range 2 {
			v, _ := c(ctx)
			p.print(v)
		}

		if err := (<-other).Wait(ctx); err != nil && strings.Contains(err.Error(), "of another loop") {
			p.print("RuntimeError: Task")
		}
		p.print(reactor.Run(ctx, func(context.Context) error { return nil }))
	})
	close(end)
	if err := <-ended; err != nil {
		t.Error("the other loop ended with", err)
	}
}

// Waiting tasks and callbacks form one queue, in the order of their calls. (The
// recorded program has a future in place of the task f.)
func TestCase89WaitersAndCallbacks(t *testing.T) {
	p := replay(t, `
		w1 cb w2
		[0, 2, 3]`)
	p.main(func(ctx context.Context) {
		var set reactor.Event
		var out []string
		f := reactor.Go(ctx, set.Wait)
		w := func(name string) *reactor.Task[struct{}] {
			return reactor.Go(ctx, func(ctx context.Context) error {
				err := f.Wait(ctx)
				out = append(out, name)
				return err
			})
		}
		w1 := w("w1")
		reactor.Yield(ctx)
		f.OnDone(func() { out = append(out, "cb") })
		w2 := w("w2")
		reactor.Yield(ctx)
		set.Set()
		wait(ctx, w1, w2)
		p.print(strings.Join(out, " "))

		var e reactor.Event
		var woken []int
		var ts []*reactor.Task[struct{}]
		for i := range 4 {
			ts = append(ts, reactor.Go(ctx, func(ctx context.Context) error {
				err := e.Wait(ctx)
				if err == nil {
					woken = append(woken, i)
				}
				return err
			}))
		}
		reactor.Yield(ctx)
		ts[1].Cancel(nil)
		e.Set()
		wait(ctx, ts...)
		p.print(woken)
	})
}
