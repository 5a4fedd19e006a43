package reactor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A timeout of zero takes effect at the first await, and code without an await
// is not interrupted. Differs: its scope is done when its body begins, and the
// first await is the first one, whether it would suspend or not.
func TestCase34TimeoutZero(t *testing.T) {
	p := replay(t, `
		body
		eddy| first yield: TimeoutError
		TimeoutError at first await
		asyncio| no await -> ok 45 False
		asyncio| await done future -> ok False
		eddy| no await -> ok 45 True
		eddy| await done future -> TimeoutError True
		not poisoned`)
	p.main(func(ctx context.Context) {
		err := reactor.Timeout(ctx, 0, func(ctx context.Context) error {
			p.print("body")
			p.print("first yield:", reactor.Yield(ctx))
			if err := reactor.Yield(ctx); err != nil {
				return err
			}
			p.print("never")
			return nil
		})
		if errors.Is(err, context.DeadlineExceeded) {
			p.print("TimeoutError at first await")
		}
		reactor.Scope(ctx, func(ctx context.Context, c *reactor.CancelScope) error {
			c.SetTimeout(-1 * time.Second)
			x := 0
			for i := range 10 {
				x += i
			}
			p.print("no await -> ok", x, c.Expired())
			return nil
		})
		reactor.Scope(ctx, func(ctx context.Context, c *reactor.CancelScope) error {
			c.SetTimeout(0)
			var f reactor.Future[int]
			f.SetResult(1)
			_, err := f.Await(ctx)
			p.print("await done future ->", err, c.Expired())
			return err
		})
		if reactor.Yield(ctx) == nil {
			p.print("not poisoned")
		}
	})
}

// A deadline can be removed and moved, also into the past, until its scope is
// over.
func TestCase35TimeoutReschedule(t *testing.T) {
	p := replay(t, `
		disabled None False
		exit False
		RuntimeError Cannot change state of finished Timeout
		rescheduled into the past -> TimeoutError`)
	p.main(func(ctx context.Context) {
		var c *reactor.CancelScope
		reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			c = s
			c.SetTimeout(20 * ms)
			c.SetDeadline(time.Time{})
			reactor.Sleep(ctx, 40*ms)
			when := any(nil)
			if deadline, ok := ctx.Deadline(); ok {
				when = deadline
			}
			p.print("disabled", when, c.Expired())
			c.SetTimeout(5 * time.Second)
			return reactor.Yield(ctx)
		})
		p.print("exit", c.Expired())
		p.print(c.SetTimeout(1))
		err := reactor.Scope(ctx, func(ctx context.Context, c *reactor.CancelScope) error {
			c.SetTimeout(9 * time.Second)
			c.SetDeadline(time.Unix(1, 0))
			return reactor.Sleep(ctx, time.Second)
		})
		p.print("rescheduled into the past ->", err)
	})
}

// Differs: an error that an await has returned does not change if an outer
// cancellation comes while it is being returned. The outer one takes precedence
// at the next await, and if both come in the same turn.
func TestCase36TimeoutAndCancel(t *testing.T) {
	p := replay(t, `
		expired: True cancelling: 1
		asyncio| cancelled
		eddy| next await: CancelledError
		eddy| TimeoutError
		eddy| both in one turn: CancelledError`)
	p.main(func(ctx context.Context) {
		var ext *reactor.Task[struct{}]
		ext = reactor.Go(ctx, func(ctx context.Context) error {
			var expired bool
			err := reactor.Scope(ctx, func(ctx context.Context, c *reactor.CancelScope) error {
				c.SetTimeout(20 * ms)
				err := reactor.Sleep(ctx, 9*time.Second)
				ext.Cancel(nil) // while the timeout is being delivered
				expired = c.Expired()
				return err
			})
			p.print("expired:", expired, "cancelling:", cancelling(ctx))
			p.print("next await:", reactor.Yield(ctx))
			return err
		})
		p.print(ext.Wait(ctx))

		// Both timers fire in one turn, and the callback runs before the task does,
		// whose scope's time is up by then.
		reactor.LoopOf(ctx).CallLater(20*ms, func() { ext.Cancel(nil) })
		ext = reactor.Go(ctx, func(ctx context.Context) error {
			return reactor.Timeout(ctx, 20*ms, func(ctx context.Context) error { return reactor.Sleep(ctx, 9*time.Second) })
		})
		p.print("both in one turn:", ext.Wait(ctx))
	})
}

// A function that ignores the timeout's error returns without one. Differs:
// errors are not chained.
func TestCase37TimeoutSwallowed(t *testing.T) {
	p := replay(t, `
		no TimeoutError True 0
		asyncio| KeyError passes, context: TimeoutError
		eddy| KeyError passes`)
	p.main(func(ctx context.Context) {
		var c *reactor.CancelScope
		err := reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			c = s
			c.SetTimeout(10 * ms)
			reactor.Sleep(ctx, 9*time.Second)
			return nil
		})
		if err == nil {
			p.print("no TimeoutError", c.Expired(), cancelling(ctx))
		}
		err = reactor.Timeout(ctx, 10*ms, func(ctx context.Context) error {
			if reactor.Sleep(ctx, 9*time.Second) != nil {
				return raised("KeyError")
			}
			return nil
		})
		p.print(err, "passes")
	})
}

// Differs: a cancellation that came before a timeout of no time wins, too.
func TestCase94PriorCancelWins(t *testing.T) {
	p := replay(t, `
		asyncio| 0 TimeoutError (prior cancel swallowed), cancelling=1
		eddy| 0 cancelled
		5 cancelled`)
	p.main(func(ctx context.Context) {
		for _, d := range []time.Duration{0, 5} {
			task := reactor.Async(ctx, func(ctx context.Context) (string, error) {
				reactor.Current(ctx).Cancel(raised("prior"))
				err := reactor.Timeout(ctx, d*time.Second, func(ctx context.Context) error {
					return reactor.Sleep(ctx, time.Second)
				})
				return "", err
			})
			wait(ctx, task)
			if _, err := task.Result(); errors.Is(err, raised("prior")) && cancelled(task) {
				p.print(int(d), "cancelled")
			}
		}
	})
}
