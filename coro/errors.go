package coro

import (
	"errors"
	"fmt"
)

var (
	// ErrStop is what driving a generator that is over returns. The call that
	// meets the end gets it as a [*Return], with the body's return value.
	ErrStop = errors.New("coro: generator is over")

	// ErrClosed is what Yield returns in the body of a generator that is being
	// closed. The body should clean up and return it, or return nil.
	ErrClosed = errors.New("coro: generator is being closed")

	// ErrNotStarted says that a value was sent to a generator that waits in no
	// Yield as yet. Call Next first.
	ErrNotStarted = errors.New("coro: cannot send a value to a generator that has not started: call Next first")

	// ErrRunning says that the generator to be driven has not yielded since it
	// was last driven. Either its own body tries to drive it, directly or
	// through another one, or its body has suspended the scheduler's task that
	// drives it, and now a second task comes.
	ErrRunning = errors.New("coro: generator is already running: let it yield before it is driven again")

	// ErrIgnoredClose says that a body called Yield again after Yield had told
	// it [ErrClosed].
	ErrIgnoredClose = errors.New("coro: generator ignored Close: its body must return once Yield returns ErrClosed")

	// ErrWrongGoroutine says that a generator was used from a goroutine that
	// does not share its maker's [Root]. Note that inside an [iter.Pull] one is
	// on another goroutine.
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

// A strayStop replaces an ErrStop that a body returned as its error. Passed on
// as it is, it would pass for this generator's own end, and the failure of the
// body to notice the end of another would be lost (PEP 479).
type strayStop struct{ err error }

func (e *strayStop) Error() string {
	return "coro: body returned the end of another generator as its error: check for ErrStop and return nil: " + e.err.Error()
}

// bodyError returns what a driver learns of err, which a body returned.
func bodyError(err error) error {
	if err != nil && errors.Is(err, ErrStop) {
		return &strayStop{err}
	}
	return err
}

// besidesClosed returns what err says besides ErrClosed: nil if it is nothing
// but that, whatever words are around it; what is joined to it, if err is a join;
// and err as it is if ErrClosed can't be taken out without losing words.
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

// isJoin reports whether err has no words of its own.
func isJoin(err error, all []error) bool { return err.Error() == errors.Join(all...).Error() }
