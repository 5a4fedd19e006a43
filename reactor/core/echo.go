package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// An echo is the error of a cancellation, returned by the code that was
// cancelled. It is not a failure, and need not be reported, because it was
// requested. The error of another cancellation is not an echo: for instance
// that of an awaited task that was cancelled elsewhere, or that of a deadline
// that a cleanup sets itself, under context.WithoutCancel.

// Echoes reports whether err is only the error of the cancellation of s, or of
// an outer scope, possibly wrapped or joined.
//
// The error that an await returned is recognized by its identity. A bare
// context.Canceled, as returned by code that uses ctx.Err(), matches any
// cancellation; a bare context.DeadlineExceeded, any deadline. The cause of a
// cancellation, by itself, is not an echo: the task may have failed for the
// same reason.
func (s *Scope) Echoes(err error) bool {
	if err == nil || s.reason.Load() == nil {
		return false
	}
	switch kind, cause := s.loop.facade.Classify(err); kind {
	case CancelledError:
		return s.doneBy(func(r *reason) bool { return err == r.await || sameError(cause, r.cause) })
	case PanickedError, TimeoutError:
		return false
	}
	switch e := err.(type) {
	case *deadlineError:
		return s.doneBy(func(r *reason) bool { return err == r.await || sameError(e.cause, r.cause) })
	case interface{ Unwrap() error }:
		return s.Echoes(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if !s.Echoes(inner) {
				return false
			}
		}
		return true
	}
	return isLeaf(err, context.Canceled) ||
		isLeaf(err, context.DeadlineExceeded) && s.doneBy(func(r *reason) bool { return r.err == context.DeadlineExceeded })
}

// doneBy reports whether s or an outer scope is done for a reason for which is
// returns true.
func (s *Scope) doneBy(is func(*reason) bool) bool {
	for r := range s.reasons {
		if is(r) {
			return true
		}
	}
	return false
}

// reasons yields the reasons why s and its outer scopes are done: a task's
// awaits return the error of the outermost scope that is done at the time.
func (s *Scope) reasons(yield func(*reason) bool) {
	for ; s != nil; s = s.up {
		if r := s.reason.Load(); r != nil && !yield(r) {
			return
		}
		if e := s.extra.Load(); e != nil && e.passed != nil && !yield(e.passed) {
			return
		}
	}
}

// inherit records the reason of s, which is over, in a scope below it that
// lives on and was done earlier for another reason.
func (k *Scope) inherit(s *Scope) {
	if r := s.reason.Load(); r != nil && k.reason.Load() != r {
		k.more().passed = r
	}
}

// isLeaf reports whether err, without unwrapping, is target or matches it by a
// method Is.
func isLeaf(err, target error) bool {
	if err == target {
		return true
	}
	x, ok := err.(interface{ Is(error) bool })
	return ok && x.Is(target)
}

// sameError reports whether a == b, for errors that may not be comparable.
func sameError(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// IsCancellation reports whether err is only the error of a cancellation or a
// deadline, of any scope.
func (l *Loop) IsCancellation(err error) bool {
	switch kind, _ := l.facade.Classify(err); kind {
	case CancelledError:
		return true
	case PanickedError, TimeoutError:
		return false
	}
	switch e := err.(type) {
	case *deadlineError:
		return true
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && l.IsCancellation(inner)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if !l.IsCancellation(inner) {
				return false
			}
		}
		return true
	}
	return isLeaf(err, context.Canceled) || isLeaf(err, context.DeadlineExceeded)
}

// Failure returns the error of a task that has failed. If it is the error of
// another task's cancellation, Failure wraps it to say so, because it would
// look like the failing task's own.
func (t *Task) Failure() error {
	if t.echo || !errors.Is(t.err, context.Canceled) || !t.scope.loop.IsCancellation(t.err) {
		return t.err
	}
	if e := t.scope.extra.Load(); e != nil && e.stopped != nil {
		return fmt.Errorf("%v awaited %v, which was cancelled: %w", t, e.stopped, t.err)
	}
	return fmt.Errorf("%v awaited something that was cancelled: %w", t, t.err)
}

// answered records in the running task that it has awaited t, if t was
// cancelled.
func (t *Task) answered() {
	stopped := t
	if !t.echo {
		e := t.scope.extra.Load()
		if e == nil || e.stopped == nil {
			return
		}
		stopped = e.stopped
	}
	if asker := t.scope.loop.cur.task; asker != nil {
		asker.scope.more().stopped = stopped
	}
}
