package core

import (
	"context"
	"errors"
)

// A reason records why a scope is done.
type reason struct {
	err   error // the result of ctx.Err: context.Canceled or context.DeadlineExceeded
	await error // the error of awaits under the scope; it wraps err
	cause error
}

var (
	reasonCanceled = &reason{context.Canceled, context.Canceled, context.Canceled}
	reasonDeadline = &reason{context.DeadlineExceeded, context.DeadlineExceeded, context.DeadlineExceeded}
	errEnded       = errors.New("the task or scope that this ctx belongs to has ended")
)

// A deadlineError is returned by an await under a foreign context whose
// deadline has passed and has a cause. It matches [context.DeadlineExceeded] and
// the cause.
type deadlineError struct{ cause error }

func (e *deadlineError) Error() string {
	return context.DeadlineExceeded.Error() + ": " + e.cause.Error()
}

func (e *deadlineError) Is(target error) bool { return target == context.DeadlineExceeded }

func (e *deadlineError) Unwrap() error { return e.cause }

// because returns the reason of a cancellation with a cause, which may be nil.
func (l *Loop) because(cause error) *reason {
	if cause == nil || cause == context.Canceled {
		return reasonCanceled
	}
	return &reason{context.Canceled, l.facade.Cancelled(cause), cause}
}

// reasonOf returns the reason of a foreign context that is done. If the context
// has no cause, it may have been cancelled through a scope, whose cause package
// context can't get.
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

// AwaitErr returns the error of an await under s, which is done. If an outer
// scope is done too, its reason takes precedence.
func (s *Scope) AwaitErr() error {
	r := s.reason.Load()
	for up := s.up; up != nil; up = up.up {
		if o := up.reason.Load(); o != nil {
			r = o
		}
	}
	return r.await
}

// OuterErr returns the error of an await around s, or nil if no outer scope is
// done, regardless of s.
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
