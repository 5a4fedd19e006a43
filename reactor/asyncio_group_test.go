package reactor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// joined returns the errors that a group's is made of.
func joined(err error) []error {
	if e, ok := err.(interface{ Unwrap() []error }); ok {
		return e.Unwrap()
	}
	return nil
}

// afterCancel returns a coroutine that waits for its cancellation and then
// returns an error of its own.
func afterCancel(err error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		reactor.Sleep(ctx, 9*time.Second)
		return err
	}
}

// The first failure cancels the siblings and the body, all are awaited, and the
// errors come in the order in which tasks ended; mere echoes are left out.
func TestCase38GroupError(t *testing.T) {
	p := replay(t, `
		body cancelled
		sibling cleaned
		asyncio| ExceptionGroup unhandled errors in a TaskGroup ["ValueError('first')", "KeyError('cleanup')"]
		eddy| joined ["ValueError('first')", "KeyError('cleanup')"]
		cancelling after: 0`)
	sibling := func(ctx context.Context) error {
		err := reactor.Sleep(ctx, 9*time.Second)
		reactor.Sleep(context.WithoutCancel(ctx), 20*ms)
		p.print("sibling cleaned")
		return err
	}
	p.main(func(ctx context.Context) {
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(sibling)
			g.Go(afterCancel(raised("KeyError('cleanup')")))
			g.Go(func(ctx context.Context) error {
				reactor.Sleep(ctx, 20*ms)
				return raised("ValueError('first')")
			})
			err := reactor.Sleep(ctx, 9*time.Second)
			if errors.Is(err, context.Canceled) {
				p.print("body cancelled")
			}
			return err
		})
		p.print("joined", joined(err))
		p.print("cancelling after:", cancelling(ctx))
	})
}

// The body's error comes last. Differs: a single error is not wrapped.
func TestCase40GroupBodyError(t *testing.T) {
	p := replay(t, `
		asyncio| ["ValueError('body')"]
		eddy| ValueError('body')
		["KeyError('child')", "ValueError('body')"]`)
	p.main(func(ctx context.Context) {
		for kids := range 2 {
			err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				if kids > 0 {
					g.Go(afterCancel(raised("KeyError('child')")))
				}
				reactor.Yield(ctx)
				return raised("ValueError('body')")
			})
			if errs := joined(err); errs != nil {
				p.print(errs)
			} else {
				p.print(err)
			}
		}
	})
}

// A cancellation from outside reaches the tasks, waits for them, and stays a
// plain cancellation.
func TestCase41GroupCancelled(t *testing.T) {
	p := replay(t, `
		['kid 1 cleanup', 'kid 2 cleanup'] CancelledError 1`)
	var out []string
	kid := func(n string) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			defer func() { out = append(out, "kid "+n+" cleanup") }()
			return reactor.Sleep(ctx, 9*time.Second)
		}
	}
	p.main(func(ctx context.Context) {
		task := reactor.Go(ctx, func(ctx context.Context) error {
			return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(kid("1"))
				g.Go(kid("2"))
				return nil
			})
		})
		reactor.Sleep(ctx, 10*ms)
		task.Cancel(raised("ext"))
		err := task.Wait(ctx)
		if joined(err) != nil || !errors.Is(err, raised("ext")) {
			t.Errorf("the cause was lost: %v", err)
		}
		slices.Sort(out)
		p.print(out, err, cancelling(task))
	})
}

// An inner group's failure does not swallow the cancellation of an outer one.
func TestCase43NestedGroups(t *testing.T) {
	p := replay(t, `
		inner group handled; cancelling = 1
		outer cancellation still delivered
		outer raised ["KeyError('outer-child')"]
		cancelling at end: 0`)
	bad := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	p.main(func(ctx context.Context) {
		err := reactor.Group(ctx, func(ctx context.Context, outer *reactor.TaskGroup) error {
			err := reactor.Group(ctx, func(ctx context.Context, inner *reactor.TaskGroup) error {
				outer.Go(bad(raised("KeyError('outer-child')")))
				inner.Go(bad(raised("ValueError('inner-child')")))
				return reactor.Sleep(ctx, 9*time.Second)
			})
			if errors.Is(err, raised("ValueError('inner-child')")) {
				p.print("inner group handled; cancelling =", cancelling(ctx))
			}
			err = reactor.Sleep(ctx, 50*ms)
			if errors.Is(err, context.Canceled) {
				p.print("outer cancellation still delivered")
			} else {
				p.print("LOST: body continued after outer abort")
			}
			return err
		})
		p.print("outer raised", []error{err})
		p.print("cancelling at end:", cancelling(ctx))
	})
}
