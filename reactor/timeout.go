package reactor

import (
	"context"
	"errors"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Timeout calls f in a scope that is done after d: then what f awaits under
// the ctx it gets returns [context.DeadlineExceeded]. So do, whatever ctx they
// know, the reads and writes of a net.Conn that f makes: a Timeout bounds code
// that knows nothing of eddy.
//
// Timeout returns what f returns. If that is, or wraps, the error of this Timeout's
// own deadline, it is returned within a [*TimeoutError]: so errors.As tells it from
// the deadline of a scope around it, which ends a loop that tries again. When
// both are done, awaits return the outer one's error.
//
// Timeout does not cut f short between two awaits, and an f that awaits nothing is
// not interrupted. Unlike the deadline of a connection, that of a scope falls due in
// a turn of the loop, so an await that need not wait may still succeed if f has
// computed past it: to look at the clock for each scope around each await would cost
// more than most awaits do. If d is zero or less, f is called all the same, under a ctx that
// is done already. What f started under its ctx and left running is cancelled when
// f returns.
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

// TimeoutAt is like [Timeout], with the moment at which the scope is done. One in the
// past, as the zero time, means at once.
func TimeoutAt(ctx context.Context, when time.Time, f func(ctx context.Context) error) error {
	if f == nil {
		panic("reactor: TimeoutAt with a nil function")
	}
	return inScope(ctx, "TimeoutAt", func(ctx context.Context, s *CancelScope) error {
		s.set(max(0, s.scope.Loop().TimeAt(when, &s.scope)))
		return f(ctx)
	})
}

// A TimeoutError is what a [Timeout], a [TimeoutAt] or a [Scope] returns whose
// own deadline has passed, if its function returned an error that says so. It is a
// [context.DeadlineExceeded] for errors.Is. The deadline of a scope around it does
// not make one: that passes through as it is, until it is returned by the Timeout
// that it belongs to. (asyncio's TimeoutError, trio's TooSlowError.)
type TimeoutError struct {
	Err error // what the function returned
}

func (e *TimeoutError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout reports true, as a net.Error's method does.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary reports true, as that of [context.DeadlineExceeded] does.
func (e *TimeoutError) Temporary() bool { return true }

// A CancelScope is the region that [Scope] calls its function in. Its methods
// may be called by tasks and callbacks of the loop.
type CancelScope struct {
	scope   core.Scope
	region  core.Region
	timer   core.Timer
	expired bool
	over    bool
}

// Scope calls f in a scope that can be cancelled by itself, and given a deadline
// that moves: what f awaits under the ctx it gets, and what it started there,
// ends with the scope. In all else it is like [Timeout]. (asyncio's timeout
// object, trio's CancelScope.)
func Scope(ctx context.Context, f func(ctx context.Context, s *CancelScope) error) error {
	if f == nil {
		panic("reactor: Scope with a nil function")
	}
	return inScope(ctx, "Scope", f)
}

func inScope(ctx context.Context, op string, f func(ctx context.Context, s *CancelScope) error) error {
	w, _, err := core.Await(ctx, op)
	if err != nil {
		return err
	}
	c := &CancelScope{}
	c.timer.Value = (*scopeDeadline)(c)
	w.Enter(&c.region, &c.scope, ctx)
	defer func() {
		c.over = true
		c.scope.Loop().StopTimer(&c.timer)
		c.region.Leave()
	}()
	return c.sign(f(&c.scope, c))
}

// sign makes a TimeoutError of an error that tells of c's own deadline. When what
// is around c is done too, the error may be that one's, which counts for more.
func (c *CancelScope) sign(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !c.expired && c.scope.Overdue() { // Done has said so, to a function that stopped the loop
		(*scopeDeadline)(c).Expire()
	}
	if c.expired && !c.scope.OuterDone() {
		return &TimeoutError{err}
	}
	return err
}

// ErrScopeOver is returned for a deadline that comes too late: the scope's
// function has returned.
var ErrScopeOver = errors.New("reactor: the scope is over: its deadline can't be changed")

// Cancel makes the scope done, as [Task.Cancel] does a task.
func (c *CancelScope) Cancel(cause error) bool {
	c.scope.Loop().OnLoop("CancelScope.Cancel")
	return !c.over && c.scope.Cancel(cause)
}

// SetTimeout makes the scope done after d from now, and at once if d is zero or
// less, instead of at an earlier deadline of its own. The error is
// [ErrScopeOver].
func (c *CancelScope) SetTimeout(d time.Duration) error {
	return c.set(max(0, c.scope.Loop().After(d)))
}

// SetDeadline is like SetTimeout, with the moment. The zero t takes the deadline
// away, as with a net.Conn.
func (c *CancelScope) SetDeadline(t time.Time) error {
	c.scope.Loop().OnLoop("CancelScope.SetDeadline") // before the clock is asked
	if t.IsZero() {
		return c.set(never)
	}
	return c.set(max(0, c.scope.Loop().TimeAt(t, &c.scope)))
}

// never is the loop time of a deadline that is none.
const never = -1

func (c *CancelScope) set(until int64) error {
	l := c.scope.Loop()
	l.OnLoop("setting a scope's deadline")
	if c.over {
		return ErrScopeOver
	}
	if until == never {
		c.scope.SetUntil(0)
		l.StopTimer(&c.timer)
		return nil
	}
	c.scope.SetUntil(max(1, until)) // 0 is none
	switch {
	case c.scope.Canceled():
	case until <= l.Now():
		l.StopTimer(&c.timer)
		(*scopeDeadline)(c).Expire()
	default:
		l.SetTimer(&c.timer, until)
	}
	return nil
}

// Expired reports whether the scope's own deadline has made it done, and not a
// cancellation, of itself or of what is around it, before that.
func (c *CancelScope) Expired() bool {
	c.scope.Loop().OnLoopOrOver("CancelScope.Expired")
	return c.expired
}

// scopeDeadline is a CancelScope as the owner of its timer.
type scopeDeadline CancelScope

func (c *scopeDeadline) Expire() { c.expired = c.scope.Expire() }
