package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// An echo is the error of a cancellation that comes back from the very code that
// was cancelled. Whoever cancelled knows of it, so it is no failure, and need not
// be told. The error of another cancellation is no echo: neither that of something
// awaited which was cancelled elsewhere, nor the deadline that a cleanup sets
// itself, under context.WithoutCancel.

// Echoes reports whether err is nothing but the error of the cancellation of s, or
// of a scope around it: as it is, with words around it, or several joined.
//
// The error that an await returned is told by its identity. A bare
// context.Canceled is that of code which knows no more than ctx.Err(), and
// belongs to any cancellation; a bare context.DeadlineExceeded, to any deadline.
// The cause of a cancellation, by itself, is no echo: the task may have failed for
// the same reason.
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

// doneBy reports whether s or a scope around it is done for a reason that is so.
func (s *Scope) doneBy(is func(*reason) bool) bool {
	for r := range s.reasons {
		if is(r) {
			return true
		}
	}
	return false
}

// reasons ranges over why s and the scopes around it are done: the awaits of a task
// return the error of the outermost one that is done by then.
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

// inherit remembers the reason of s, which is over, for a scope below it that lives
// on and was done for another reason before.
func (k *Scope) inherit(s *Scope) {
	if r := s.reason.Load(); r != nil && k.reason.Load() != r {
		k.more().passed = r
	}
}

// isLeaf reports whether err, which wraps nothing, is target, or says that it is one.
func isLeaf(err, target error) bool {
	if err == target {
		return true
	}
	x, ok := err.(interface{ Is(error) bool })
	return ok && x.Is(target)
}

// sameError is a == b, of errors that may not be comparable.
func sameError(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// IsCancellation reports whether err is nothing but a cancellation or a deadline,
// whosesoever.
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

// Failure returns the error of a task that has failed. That of another task's
// cancellation says so: by itself it would look like the failing task's own.
func (t *Task) Failure() error {
	if t.echo || !errors.Is(t.err, context.Canceled) || !t.scope.loop.IsCancellation(t.err) {
		return t.err
	}
	if e := t.scope.extra.Load(); e != nil && e.stopped != nil {
		return fmt.Errorf("%v awaited %v, which was cancelled: %w", t, e.stopped, t.err)
	}
	return fmt.Errorf("%v awaited something that was cancelled: %w", t, t.err)
}

// answered notes, for the running task, that it has awaited t, if that was
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
