package reactor

import (
	"context"
	"errors"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Timeout calls f in a scope that is done after d: then f's awaits under the
// ctx that it gets return [context.DeadlineExceeded]. So do reads and writes of
// a net.Conn in f, which take no ctx: a Timeout also bounds code that is not
// written for eddy.
//
// Timeout returns what f returns. If that is, or wraps, the error of this
// Timeout's own deadline, Timeout wraps it in a [*TimeoutError]. So errors.As
// distinguishes it from the deadline of an outer scope, which should end a loop
// that retries. When both are done, awaits return the outer one's error.
//
// Timeout does not interrupt f between two awaits. Unlike the deadline of a
// connection, that of a scope takes effect in a turn of the loop. So an await
// that need not wait may still succeed if f has computed past the deadline:
// reading the clock for each scope around each await would cost more than most
// awaits. If d is zero or less, f is still called, under a ctx that is done
// already. Tasks that f started under its ctx and left running are cancelled
// when f returns.
//
// If f yields, as part of a generator's body, it stays in the scope while the
// body is suspended, and the time goes on. In the body of a [Generate] the
// scope bounds only the body, not its driver. In the body of an iter.Pull or of
// a generator of package coro, it also bounds the reads and writes of the
// consumer (PEP 789 is about this trap): use Generate there, or yield outside
// f.
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

// TimeoutAt is like [Timeout], with the time at which the scope is done. A time
// in the past, such as the zero time, means at once.
func TimeoutAt(ctx context.Context, when time.Time, f func(ctx context.Context) error) error {
	if f == nil {
		panic("reactor: TimeoutAt with a nil function")
	}
	return inScope(ctx, "TimeoutAt", func(ctx context.Context, s *CancelScope) error {
		s.set(max(0, s.scope.Loop().TimeAt(when, &s.scope)))
		return f(ctx)
	})
}

// A TimeoutError is returned by a [Timeout], a [TimeoutAt] or a [Scope] whose
// own deadline has passed, if its function returned the error of that. For
// errors.Is it is [context.DeadlineExceeded]. The error of an outer scope's
// deadline passes through unchanged, until the Timeout that it belongs to
// returns it. (asyncio's TimeoutError, trio's TooSlowError.)
type TimeoutError struct {
	Err error // what the function returned
}

func (e *TimeoutError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout returns true, like the method of a net.Error that timed out.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary returns true, like that of [context.DeadlineExceeded].
func (e *TimeoutError) Temporary() bool { return true }

// A CancelScope is the scope in which [Scope] calls its function. Its methods
// may be called by tasks and callbacks of the loop.
type CancelScope struct {
	scope   core.Scope
	region  core.Region
	timer   core.Timer
	expired bool
	over    bool
}

// Scope calls f in a scope that can be cancelled and given a deadline that can
// be changed: both end f's awaits under the ctx that it gets, and the tasks
// that it started there. Otherwise it is like [Timeout]. (asyncio's timeout
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

// sign wraps the error of c's own deadline in a TimeoutError. If an outer scope
// is done too, the error may be the outer one's, which takes precedence.
func (c *CancelScope) sign(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !c.expired && c.scope.Overdue() { // the function has blocked the loop, and Done was closed
		(*scopeDeadline)(c).Expire()
	}
	if c.expired && !c.scope.OuterDone() {
		return &TimeoutError{err}
	}
	return err
}

// ErrScopeOver is returned if a deadline is set after the scope's function has
// returned.
var ErrScopeOver = errors.New("reactor: the scope is over: its deadline can't be changed")

// Cancel makes the scope done, like [Task.Cancel].
func (c *CancelScope) Cancel(cause error) bool {
	c.scope.Loop().OnLoop("CancelScope.Cancel")
	return !c.over && c.scope.Cancel(cause)
}

// SetTimeout sets the scope's deadline to d from now, replacing an earlier one.
// If d is zero or less the scope is done at once. The error is [ErrScopeOver].
func (c *CancelScope) SetTimeout(d time.Duration) error {
	return c.set(max(0, c.scope.Loop().After(d)))
}

// SetDeadline is like SetTimeout, with a time. The zero t removes the deadline,
// as with a net.Conn.
func (c *CancelScope) SetDeadline(t time.Time) error {
	c.scope.Loop().OnLoop("CancelScope.SetDeadline") // before the clock is read
	if t.IsZero() {
		return c.set(never)
	}
	return c.set(max(0, c.scope.Loop().TimeAt(t, &c.scope)))
}

// never is the loop time that means no deadline.
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

// Expired reports whether the scope's own deadline made it done, rather than an
// earlier cancellation of it or of an outer scope.
func (c *CancelScope) Expired() bool {
	c.scope.Loop().OnLoopOrOver("CancelScope.Expired")
	return c.expired
}

// scopeDeadline is the owner of a CancelScope's timer.
type scopeDeadline CancelScope

func (c *scopeDeadline) Expire() { c.expired = c.scope.Expire() }
