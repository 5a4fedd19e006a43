package reactor_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor"
)

// When main has returned, all tasks are cancelled and awaited, and then the
// generators closed that were left open. Differs: a task's error is reported
// when the task ends, and not when all have.
func TestCase55RunsEnd(t *testing.T) {
	p := replay(t, `
		main returns
		bg 1 cancelled
		eddy| handler: Task exception was never retrieved KeyError('during shutdown')
		bg 1 cleanup done
		asyncio| handler: unhandled exception during asyncio.run() shutdown KeyError('during shutdown')
		asyncgen finalized
		42`)
	p.options.OnError = p.report
	agen := func(ctx context.Context, y *coro.Yielder[int, struct{}]) (none struct{}, err error) {
		defer func() {
			reactor.Yield(context.WithoutCancel(ctx))
			p.print("asyncgen finalized")
		}()
		for i := 1; i <= 2 && err == nil; i++ {
			_, err = y.Yield(i)
		}
		return none, err
	}
	var result int
	p.main(func(ctx context.Context) {
		reactor.Generate(ctx, agen).Next()
		reactor.Go(ctx, func(ctx context.Context) error {
			err := reactor.Sleep(ctx, 9*time.Second)
			p.print("bg 1 cancelled")
			reactor.Sleep(context.WithoutCancel(ctx), 10*ms)
			p.print("bg 1 cleanup done")
			return err
		})
		reactor.Go(ctx, afterCancel(raised("KeyError('during shutdown')")))
		reactor.Yield(ctx)
		p.print("main returns")
		result = 42
	})
	p.print(result)
}

// An error that was not awaited is reported; awaiting prevents that. Differs:
// the report comes when the maker of the task ends, not when the garbage
// collector finds it, and a Future that is not awaited is not a failure.
func TestCase56NeverAwaited(t *testing.T) {
	p := replay(t, `
		handler: Task exception was never retrieved ValueError('lost')
		asyncio| handler: Future exception was never retrieved KeyError('fut')
		end`)
	p.options.OnError = p.report
	bad := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	p.main(func(ctx context.Context) {
		maker := reactor.Go(ctx, func(ctx context.Context) error {
			reactor.Go(ctx, bad(raised("ValueError('lost')")))
			return reactor.Yield(ctx)
		})
		maker.Wait(ctx)
		seen := reactor.Go(ctx, bad(raised("ValueError('seen')")))
		reactor.Yield(ctx)
		seen.Result()
		new(reactor.Future[int]).SetError(raised("KeyError('fut')"))
		reactor.Go(ctx, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) }).Cancel(nil) // silent
		reactor.Yield(ctx)
		p.print("end")
	})
}

type variable struct{}

// A task sees the values of the ctx that it was made under. Differs: a ctx does
// not change, so a callback sees what its closure has, and nothing is shared.
func TestCase57ContextValues(t *testing.T) {
	p := replay(t, `
		cb main1
		('main1', 'kid') main2 main2
		asyncio| explicit ctx shared: kid main2
		eddy| explicit ctx not shared: main2`)
	get := func(ctx context.Context) string { s, _ := ctx.Value(variable{}).(string); return s }
	set := func(ctx context.Context, s string) context.Context { return context.WithValue(ctx, variable{}, s) }
	kid := func(ctx context.Context) (string, error) {
		s := get(ctx)
		ctx = set(ctx, "kid")
		err := reactor.Yield(ctx)
		return "('" + s + "', '" + get(ctx) + "')", err
	}
	p.main(func(ctx context.Context) {
		ctx = set(ctx, "main1")
		task := reactor.Async(ctx, kid)
		then := ctx
		reactor.LoopOf(ctx).CallSoon(func() { p.print("cb", get(then)) })
		ctx = set(ctx, "main2")
		pair, _ := task.Await(ctx)
		inThread, _ := reactor.ToThread(ctx, func(context.Context) (string, error) { return get(ctx), nil })
		p.print(pair, get(ctx), inThread)
		reactor.Async(ctx, kid).Wait(ctx)
		p.print("explicit ctx not shared:", get(ctx))
	})
}

// Post wakes a loop that sleeps, and from one goroutine keeps the order; Submit
// brings back a task's result or error. Differs: a panic in ToThread comes as a
// PanicError.
func TestCase58Threads(t *testing.T) {
	p := replay(t, `
		[0, 1, 2, 3, 4, 8, 'ValueError(-1)'] True
		asyncio| to_thread raised division by zero
		eddy| to_thread raised runtime error: integer divide by zero`).inRealTime()
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		var out []string
		var ev reactor.Event
		add := func(s string) { loop.Post(func() { out = append(out, s) }) }
		co := func(x int) func(ctx context.Context) (int, error) {
			return func(ctx context.Context) (int, error) {
				if x < 0 {
					return 0, raised("'ValueError(-1)'")
				}
				return x * 2, reactor.Sleep(ctx, ms)
			}
		}
		go func() {
			outside := context.Background()
			for _, s := range []string{"0", "1", "2", "3", "4"} {
				add(s)
			}
			eight, _ := reactor.Submit(loop, co(4))(outside)
			add(repr(eight))
			_, err := reactor.Submit(loop, co(-1))(outside)
			add(repr(err))
			loop.Post(ev.Set)
		}()
		err := reactor.Timeout(ctx, 10*time.Second, ev.Wait)
		p.print("["+strings.Join(out, ", ")+"]", err == nil)

		zero := 0
		_, err = reactor.ToThread(ctx, func(context.Context) (int, error) { return 1 / zero, nil })
		p.print("to_thread raised", err)
	})
}

// An interrupt cancels main, whose cleanup runs, and Run's ctx has the cause. A
// program's own handler is a callback of the loop. Differs: stopping a handler
// returns nothing.
func TestCase60Signals(t *testing.T) {
	started := make(chan os.Signal, 1)
	signal.Notify(started, syscall.SIGUSR2) // package signal's own goroutine stays for good
	signal.Stop(started)
	p := replay(t, `
		cleanup 1
		KeyboardInterrupt
		flag right after kill: False
		asyncio| signal handled True False
		eddy| signal handled`).inRealTime()
	kill := func(sig syscall.Signal) { syscall.Kill(os.Getpid(), sig) }

	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := p.options.Run(interrupted, func(ctx context.Context) error {
		reactor.LoopOf(ctx).CallLater(ms, func() { kill(syscall.SIGINT) })
		err := reactor.Sleep(ctx, 10*time.Second)
		reactor.Sleep(context.WithoutCancel(ctx), ms)
		p.print("cleanup", cancelling(ctx))
		return err
	})
	if errors.Is(err, context.Canceled) && interrupted.Err() != nil {
		p.print("KeyboardInterrupt")
	}

	p.main(func(ctx context.Context) {
		var ev reactor.Event
		stop := reactor.OnSignal(ctx, func(os.Signal) { ev.Set() }, syscall.SIGUSR1)
		kill(syscall.SIGUSR1)
		p.print("flag right after kill:", ev.IsSet())
		if reactor.Timeout(ctx, 10*time.Second, ev.Wait) == nil {
			p.print("signal handled")
		}
		stop()
		stop()
	})
}

// Cancelling a task that waits for a thread does not stop the thread, and Run
// waits for it.
func TestCase86CancelToThread(t *testing.T) {
	p := replay(t, `
		awaiter cancelled
		thread finished
		run returned`).inRealTime()
	p.main(func(ctx context.Context) {
		finish := make(chan struct{})
		task := reactor.Go(ctx, func(ctx context.Context) error {
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
				<-finish
				p.print("thread finished")
				return struct{}{}, nil
			})
			return err
		})
		reactor.Yield(ctx)
		task.Cancel(nil)
		if errors.Is(task.Wait(ctx), context.Canceled) {
			p.print("awaiter cancelled")
		}
		close(finish)
	})
	p.print("run returned")
}

// Differs: a task without references stays alive, and ends with the loop at the
// latest.
func TestCase95ForgottenTask(t *testing.T) {
	p := replay(t, `
		asyncio| finally runs at GC (GeneratorExit), outside any loop turn
		asyncio| handler: Task was destroyed but it is pending!
		asyncio| tasks left: 1
		eddy| tasks left: 2
		eddy| finally runs at the loop's end: CancelledError`)
	p.main(func(ctx context.Context) {
		reactor.Go(ctx, func(ctx context.Context) error {
			_, err := new(reactor.Future[int]).Await(ctx)
			p.print("finally runs at the loop's end:", err)
			return err
		})
		reactor.Yield(ctx)
		p.print("tasks left:", len(reactor.AllTasks(ctx)))
	})
}
