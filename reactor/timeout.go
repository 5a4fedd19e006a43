package reactor

import (
	"context"
	"errors"
	"time"

	"github.com/eddyio/eddy/timerwheel"
)

// Timeout calls f in a scope that is done after d: then what f awaits under
// the ctx it gets returns [context.DeadlineExceeded]. So do, whatever ctx they
// know, the reads and writes of a net.Conn that f makes: a Timeout bounds code
// that knows nothing of eddy.
//
// Timeout returns what f returns. It does not cut f short between two awaits,
// and an f that never suspends is not interrupted, even if d is zero or less.
// When the scope around it is cancelled too, awaits return that scope's error.
// What f started under its ctx and left running is cancelled when f returns.
//
// An f that yields, as part of a generator's body, stays in the scope while the
// body is suspended, and its time goes on. In the body of a [Generate] the scope
// bounds the body alone, and not whoever drives it. In that of an iter.Pull or of
// a generator of package coro, it bounds the reads and writes of the consumer too
// (PEP 789 is about this trap): use Generate there, or yield outside of f.
//
// It costs two allocations. (asyncio's timeout and wait_for;
// context.WithTimeout works too, but its timer is not the loop's.)
func Timeout(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	if f == nil {
		panic("reactor: Timeout with a nil function")
	}
	return inScope(ctx, "Timeout", func(ctx context.Context, s *CancelScope) error {
		s.SetTimeout(d)
		return f(ctx)
	})
}

// TimeoutAt is as [Timeout], with the moment at which the scope is done.
func TimeoutAt(ctx context.Context, when time.Time, f func(ctx context.Context) error) error {
	if f == nil {
		panic("reactor: TimeoutAt with a nil function")
	}
	return inScope(ctx, "TimeoutAt", func(ctx context.Context, s *CancelScope) error {
		s.SetDeadline(when)
		return f(ctx)
	})
}

// A CancelScope is the region that [Scope] calls its function in. Its methods
// may be called by tasks and callbacks of the loop.
type CancelScope struct {
	scope   scope
	region  region
	timer   timerwheel.Timer[expirer]
	expired bool
	over    bool
}

// Scope calls f in a scope that can be cancelled by itself, and given a deadline
// that moves: what f awaits under the ctx it gets, and what it started there,
// ends with the scope. In all else it is as [Timeout]. (asyncio's timeout
// object, trio's CancelScope.)
func Scope(ctx context.Context, f func(ctx context.Context, s *CancelScope) error) error {
	if f == nil {
		panic("reactor: Scope with a nil function")
	}
	return inScope(ctx, "Scope", f)
}

func inScope(ctx context.Context, op string, f func(ctx context.Context, s *CancelScope) error) error {
	w, _, err := await(ctx, op)
	if err != nil {
		return err
	}
	c := &CancelScope{}
	c.timer.Value = c
	w.enter(&c.region, &c.scope, ctx)
	defer func() {
		c.over = true
		c.scope.loop.wheel.Cancel(&c.timer)
		c.region.leave()
	}()
	return f(&c.scope, c)
}

// ErrScopeOver is returned for a deadline that comes too late: the scope's
// function has returned.
var ErrScopeOver = errors.New("reactor: the scope is over: its deadline can't be changed")

// Cancel makes the scope done, as [Task.Cancel] does a task.
func (c *CancelScope) Cancel(cause error) bool {
	c.scope.loop.onLoop("CancelScope.Cancel")
	return !c.over && c.scope.cancel(because(cause))
}

// SetTimeout makes the scope done after d from now, instead of at an earlier
// deadline of its own. The error is [ErrScopeOver].
func (c *CancelScope) SetTimeout(d time.Duration) error {
	return c.set(max(1, c.scope.loop.after(d))) // 0 would mean none
}

// SetDeadline is as SetTimeout, with the moment; the zero t takes the deadline
// away.
func (c *CancelScope) SetDeadline(t time.Time) error {
	if t.IsZero() {
		return c.set(0)
	}
	return c.set(max(1, c.scope.loop.timeAt(t, &c.scope)))
}

func (c *CancelScope) set(until int64) error {
	l := c.scope.loop
	l.onLoop("setting a scope's deadline")
	if c.over {
		return ErrScopeOver
	}
	c.scope.more().until.Store(until)
	if until == 0 {
		l.wheel.Cancel(&c.timer)
	} else if c.scope.reason.Load() == nil {
		l.wheel.Reset(&c.timer, until)
	}
	return nil
}

// Expired says whether the scope's own deadline has made it done, and not a
// cancellation, of itself or of what is around it, before that.
func (c *CancelScope) Expired() bool { return c.expired }

func (c *CancelScope) expire() { c.expired = c.scope.cancel(reasonDeadline) }
