package coro

import (
	"errors"
	"fmt"
)

var (
	// ErrStop is returned when a generator that is over is driven. The call
	// that reaches the end gets it as a [*Return], with the body's return
	// value.
	ErrStop = errors.New("coro: generator is over")

	// ErrClosed is returned by Yield in the body of a generator that is being
	// closed. The body should clean up and return it, or return nil.
	ErrClosed = errors.New("coro: generator is being closed")

	// ErrNotStarted is returned when a value is sent to a generator that has
	// not started. Call Next first.
	ErrNotStarted = errors.New("coro: cannot send a value to a generator that has not started: call Next first")

	// ErrRunning is returned when a generator is driven that has not yielded
	// since it was last driven. Either its own body drives it, directly or
	// through another generator, or its body has suspended the task that drives
	// it, and a second task drives it.
	ErrRunning = errors.New("coro: generator is already running: let it yield before it is driven again")

	// ErrIgnoredClose is returned when a body calls Yield again after Yield
	// returned [ErrClosed].
	ErrIgnoredClose = errors.New("coro: generator ignored Close: its body must return once Yield returns ErrClosed")

	// ErrWrongGoroutine is returned when a generator is used on a goroutine
	// that does not share its maker's [Root]. Note that code inside an
	// [iter.Pull] runs on another goroutine.
	ErrWrongGoroutine = errors.New("coro: generator used on a goroutine other than its maker's: make it where it is used, or pass its values over a channel")
)

var (
	errNotBody  = fmt.Errorf("coro: Yield called outside its generator's body, or after the body returned: %w", ErrWrongGoroutine)
	errNilThrow = errors.New("coro: Throw needs an error: to resume a generator call Next")
)

// A Return is the end of a generator whose body returned Value and no error.
// errors.Is(r, ErrStop) holds.
type Return[R any] struct{ Value R }

func (r *Return[R]) Error() string { return fmt.Sprintf("coro: generator returned %v", r.Value) }

// Unwrap returns ErrStop.
func (r *Return[R]) Unwrap() error { return ErrStop }

// A strayStop replaces an ErrStop that a body returned as its error. Unchanged,
// it would look like this generator's own end and hide that the body missed the
// end of another one (PEP 479).
type strayStop struct{ err error }

func (e *strayStop) Error() string {
	return "coro: body returned the end of another generator as its error: check for ErrStop and return nil: " + e.err.Error()
}

// bodyError returns the error that a driver gets if a body returned err.
func bodyError(err error) error {
	if err != nil && errors.Is(err, ErrStop) {
		return &strayStop{err}
	}
	return err
}

// besidesClosed returns the part of err other than ErrClosed: nil if err is or
// wraps only ErrClosed; the other errors, if err is a join; and err itself if
// removing ErrClosed would lose text.
func besidesClosed(err error) error {
	if !errors.Is(err, ErrClosed) {
		return err
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if besidesClosed(e.Unwrap()) != nil {
			return err
		}
	case interface{ Unwrap() []error }:
		return joinedToClosed(err, e.Unwrap())
	}
	return nil
}

// joinedToClosed is besidesClosed for an error that wraps several.
func joinedToClosed(err error, all []error) error {
	var rest []error
	for _, e := range all {
		if e = besidesClosed(e); e != nil {
			rest = append(rest, e)
		}
	}
	switch {
	case len(rest) == 1 && isJoin(err, all):
		return rest[0]
	case len(rest) > 0 && !isJoin(err, all):
		return err
	}
	return errors.Join(rest...)
}

// isJoin reports whether err adds no text to the errors that it wraps.
func isJoin(err error, all []error) bool { return err.Error() == errors.Join(all...).Error() }
