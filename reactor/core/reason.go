package core

import (
	"context"
	"errors"
)

// A reason is why a scope is done.
type reason struct {
	err   error // what ctx.Err returns: context.Canceled or context.DeadlineExceeded
	await error // what awaits under it return; errors.Is finds err in it
	cause error
}

var (
	reasonCanceled = &reason{context.Canceled, context.Canceled, context.Canceled}
	reasonDeadline = &reason{context.DeadlineExceeded, context.DeadlineExceeded, context.DeadlineExceeded}
	errEnded       = errors.New("the task or scope that this ctx belongs to has ended")
)

// A deadlineError is what an await returns under a foreign context whose deadline
// has passed and has a cause. It is a [context.DeadlineExceeded], and its cause too,
// for errors.Is and errors.As.
type deadlineError struct{ cause error }

func (e *deadlineError) Error() string {
	return context.DeadlineExceeded.Error() + ": " + e.cause.Error()
}

func (e *deadlineError) Is(target error) bool { return target == context.DeadlineExceeded }

func (e *deadlineError) Unwrap() error { return e.cause }

// because makes the reason of a cancellation with a cause, which may be nil.
func (l *Loop) because(cause error) *reason {
	if cause == nil || cause == context.Canceled {
		return reasonCanceled
	}
	return &reason{context.Canceled, l.facade.Cancelled(cause), cause}
}

// reasonOf makes the reason of a foreign context that is done. When it names no
// cause, that may be because it was cancelled by way of a scope, whose cause
// package context can't ask for.
func (l *Loop) reasonOf(ctx context.Context) *reason {
	cause := context.Cause(ctx)
	if s := Nearest(ctx); s != nil && cause == ctx.Err() {
		if r := s.reason.Load(); r != nil && r.err == cause {
			return r
		}
	}
	switch err := ctx.Err(); {
	case err == context.DeadlineExceeded && (cause == nil || cause == err):
		return reasonDeadline
	case err == context.DeadlineExceeded:
		return &reason{err, &deadlineError{cause}, cause}
	default:
		return l.because(cause)
	}
}

// AwaitErr returns what an await under s, which is done, returns. When an
// enclosing scope is done too, its reason wins over that of the inner one.
func (s *Scope) AwaitErr() error {
	r := s.reason.Load()
	for up := s.up; up != nil; up = up.up {
		if o := up.reason.Load(); o != nil {
			r = o
		}
	}
	return r.await
}

// OuterErr returns what an await around s returns if that is done, and else nil,
// whatever s is.
func (s *Scope) OuterErr() error {
	if s.parent.Err() == nil {
		return nil
	}
	r := s.loop.reasonOf(s.parent)
	for up := s.up; up != nil; up = up.up {
		if o := up.reason.Load(); o != nil {
			r = o
		}
	}
	return r.await
}
