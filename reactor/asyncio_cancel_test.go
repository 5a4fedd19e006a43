package reactor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// Differs: the function of a task that is cancelled before it starts is called
// all the same, so that it can clean up; its first await fails.
func TestCase16CancelBeforeStart(t *testing.T) {
	p := replay(t, `
		True
		eddy| body ran
		eddy| finally ran
		cancelled True 1
		False`)
	p.main(func(ctx context.Context) {
		task := reactor.Go(ctx, func(ctx context.Context) error {
			defer p.print("finally ran")
			p.print("body ran")
			return reactor.Yield(ctx)
		})
		p.print(task.Cancel(nil))
		if err := task.Wait(ctx); errors.Is(err, context.Canceled) {
			p.print("cancelled", cancelled(task), cancelling(task))
		}
		p.print(task.Cancel(nil))
	})
}

// Differs: a task may ignore its cancellation, but its ctx stays done; to go on
// awaiting it needs one that is shielded.
func TestCase17CancelSwallowed(t *testing.T) {
	p := replay(t, `
		asyncio| caught ('why',) 1 0 0
		asyncio| value False 0
		eddy| caught why 1
		eddy| next await: CancelledError
		eddy| shielded: None
		eddy| value False 1`)
	p.main(func(ctx context.Context) {
		task := reactor.Async(ctx, func(ctx context.Context) (string, error) {
			if err := reactor.Sleep(ctx, 9*time.Second); errors.Is(err, raised("why")) {
				p.print("caught", reactor.Cause(ctx), cancelling(ctx))
			}
			p.print("next await:", reactor.Yield(ctx))
			p.print("shielded:", reactor.Yield(context.WithoutCancel(ctx)))
			return "value", nil
		})
		reactor.Yield(ctx)
		task.Cancel(raised("why"))
		value, _ := task.Await(ctx)
		p.print(value, cancelled(task), cancelling(task))
	})
}

// Differs: a task is cancelled once. The second cancellation does nothing, so
// cleanup can't be interrupted by it.
func TestCase18DoubleCancel(t *testing.T) {
	p := replay(t, `
		cleanup cancelling=1
		asyncio| cleanup interrupted cancelling=2
		eddy| cleanup done
		joined`)
	p.main(func(ctx context.Context) {
		task := reactor.Go(ctx, func(ctx context.Context) error {
			err := reactor.Sleep(ctx, 9*time.Second)
			p.print("cleanup cancelling=" + repr(cancelling(ctx)))
			if reactor.Sleep(context.WithoutCancel(ctx), 9*time.Second) == nil {
				p.print("cleanup done")
			}
			return err
		})
		reactor.Yield(ctx)
		task.Cancel(nil)
		reactor.Yield(ctx)
		if task.Cancel(nil) {
			t.Error("a task was cancelled twice")
		}
		if errors.Is(task.Wait(ctx), context.Canceled) {
			p.print("joined")
		}
	})
}

// A task that cancels itself sees it at its next await. Differs: one that
// awaits nothing more may return anything, and there is no uncancel.
func TestCase20SelfCancel(t *testing.T) {
	p := replay(t, `
		a still running
		a cancelled
		asyncio| b cancelled
		eddy| b lost value
		c kept`)
	show := func(name string, task *reactor.Task[string]) {
		value, err := task.Result()
		if errors.Is(err, context.Canceled) {
			value = "cancelled"
		}
		p.print(name, value)
	}
	p.main(func(ctx context.Context) {
		a := reactor.Async(ctx, func(ctx context.Context) (string, error) {
			reactor.Current(ctx).Cancel(nil)
			p.print("a still running")
			if err := reactor.Yield(ctx); err != nil {
				return "", err
			}
			p.print("never")
			return "", nil
		})
		wait(ctx, a)
		show("a", a)
		for _, x := range [][2]string{{"b", "lost value"}, {"c", "kept"}} {
			task := reactor.Async(ctx, func(ctx context.Context) (string, error) {
				reactor.Current(ctx).Cancel(nil)
				return x[1], nil
			})
			wait(ctx, task)
			show(x[0], task)
		}
	})
}

// Differs: cancellation goes from a ctx to everything made under it, and never
// from the awaiting task to the awaited one.
func TestCase21CancelAndAwaitedTask(t *testing.T) {
	p := replay(t, `
		asyncio| inner cancelled
		asyncio| outer cancelled
		asyncio| -> True True
		asyncio| inner cancelled
		asyncio| outer got inner value
		asyncio| -> False False
		eddy| outer cancelled
		eddy| -> False True
		eddy| inner cancelled
		eddy| outer cancelled
		eddy| inner cancelled
		eddy| -> True True`)
	inner := func(ctx context.Context) error {
		err := reactor.Sleep(ctx, 9*time.Second)
		if errors.Is(err, context.Canceled) {
			p.print("inner cancelled")
		}
		return err
	}
	outer := func(ctx context.Context, task *reactor.Task[struct{}]) error {
		err := task.Wait(ctx)
		if errors.Is(err, context.Canceled) {
			p.print("outer cancelled")
		}
		return err
	}
	p.main(func(ctx context.Context) {
		i := reactor.Go(ctx, inner)
		o := reactor.Go(ctx, func(ctx context.Context) error { return outer(ctx, i) })
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		o.Cancel(nil)
		wait(ctx, o)
		p.print("->", i.Finished(), cancelled(o))
		i.Cancel(nil)
		wait(ctx, i)

		o = reactor.Go(ctx, func(ctx context.Context) error {
			i = reactor.Go(ctx, inner) // made under outer's ctx
			return outer(ctx, i)
		})
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		o.Cancel(nil)
		wait(ctx, o, i)
		p.print("->", cancelled(i), cancelled(o))
	})
}

// A task under context.WithoutCancel goes on when the task that awaits it is
// cancelled.
func TestCase23Shield(t *testing.T) {
	p := replay(t, `
		outer cancelled True inner done False
		inner finished
		1
		shield sees inner cancel True
		done arg returned as is: True`)
	inner := func(ctx context.Context) (int, error) {
		if err := reactor.Sleep(ctx, 30*ms); err != nil {
			return 0, err
		}
		p.print("inner finished")
		return 1, nil
	}
	p.main(func(ctx context.Context) {
		var i *reactor.Task[int]
		o := reactor.Go(ctx, func(ctx context.Context) error {
			i = reactor.Async(context.WithoutCancel(ctx), inner)
			return i.Wait(ctx)
		})
		reactor.Sleep(ctx, 10*ms)
		o.Cancel(nil)
		wait(ctx, o)
		p.print("outer cancelled", cancelled(o), "inner done", i.Finished())
		value, _ := i.Await(ctx)
		p.print(value)

		j := reactor.Async(context.WithoutCancel(ctx), inner)
		reactor.Yield(ctx)
		j.Cancel(nil)
		if errors.Is(j.Wait(ctx), context.Canceled) {
			p.print("shield sees inner cancel", cancelled(j))
		}
		turned := false
		reactor.LoopOf(ctx).CallSoon(func() { turned = true })
		i.Wait(context.WithoutCancel(ctx))
		p.print("done arg returned as is:", !turned)
	})
}

// An error that was not awaited is reported. Differs: when its maker ends, and
// not when the garbage collector finds it.
func TestCase90ShieldLateError(t *testing.T) {
	p := replay(t, `
		asyncio| handler: Task exception was never retrieved ValueError('late')
		end
		eddy| handler: Task exception was never retrieved ValueError('late')`)
	p.options.OnError = p.report
	p.main(func(ctx context.Context) {
		i := reactor.Go(ctx, func(ctx context.Context) error {
			reactor.Sleep(ctx, 10*ms)
			return raised("ValueError('late')")
		})
		o := reactor.Go(ctx, i.Wait)
		reactor.Yield(ctx)
		reactor.Yield(ctx)
		o.Cancel(nil)
		wait(ctx, o)
		wait(ctx, i)
		reactor.Yield(ctx)
		p.print("end")
	})
}
