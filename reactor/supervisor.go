package reactor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Supervisor is the rule of a group whose tasks fail one by one: the failure of
// one leaves the others alone. The zero Supervisor just tells of failures; with
// Restart it also calls the functions again. (Kotlin's supervisorScope, Erlang's
// supervisor.)
type Supervisor struct {
	// Restart has the function of a task that failed, by an error or a panic, called
	// again, in the same task and with a ctx of its own: what a failed call left
	// running is cancelled. One that returns nil has ended. So has one that was
	// cancelled, and one that called runtime.Goexit, which is a failure: nothing can be
	// called in its task again.
	Restart bool

	// MaxRestarts bounds how often the functions of one group may be called again
	// within any time of the length Within, or, if that is 0, as long as the group
	// lasts. One failure more ends the group, with [ErrTooManyRestarts]: what
	// doesn't heal by starting anew is somebody else's to mend, the supervisor's
	// around it, say. 0 means no bound. (Erlang's intensity and period.)
	MaxRestarts int
	Within      time.Duration

	// MinBackoff is how long a function is not called again after its first
	// failure, and each failure in a row doubles that, up to MaxBackoff. The
	// pauses are shortened at random, by half at most, so that what failed together
	// does not start again together; in a simulation the seed decides. A function
	// that had run for MaxBackoff begins with MinBackoff again. 0 means 100 ms
	// for MinBackoff, and half a minute for MaxBackoff.
	MinBackoff, MaxBackoff time.Duration

	// OnFailure is called with each failure, of which the panics are a
	// [*PanicError], as a callback of the loop. If it is nil, they are reported
	// like errors that nobody awaited (see [Options]).
	OnFailure func(t AnyTask, err error)
}

// ErrTooManyRestarts is returned by the Group of a [Supervisor] whose functions
// failed more often than MaxRestarts allows. The last failure is within it.
var ErrTooManyRestarts = errors.New("reactor: too many restarts")

// Group is like the function [Group], but a task that fails is dealt with by the
// Supervisor's rule, and is not among the errors that Group returns. An error of f
// itself still ends the group. Tasks that [Start] makes are not restarted.
func (s Supervisor) Group(ctx context.Context, f func(ctx context.Context, g *TaskGroup) error) error {
	if s.MinBackoff <= 0 {
		s.MinBackoff = 100 * time.Millisecond
	}
	if s.MaxBackoff <= 0 {
		s.MaxBackoff = 30 * time.Second
	}
	s.MaxBackoff = max(s.MaxBackoff, s.MinBackoff)
	g := &TaskGroup{supervisor: &supervision{Supervisor: s}}
	return g.run(ctx, "Supervisor.Group", f)
}

// supervision is a Supervisor at work in one group.
//
// Invariant: restarts holds the times of the last restarts, MaxRestarts of them
// at most, the oldest first.
type supervision struct {
	Supervisor
	restarts []int64
	gaveUp   *core.Task // its failure was one too many
}

// bears deals with the failure of a task that has ended. It reports whether the
// group goes on.
func (s *supervision) bears(t *core.Task) bool {
	if t == s.gaveUp {
		return false
	}
	s.tell(t, t.Failure(), "a task of a supervised group failed")
	return true
}

func (s *supervision) tell(t *core.Task, err error, what string) {
	t.Claim()
	switch {
	case err == ErrCutOff: // it is reported already
	case s.OnFailure != nil:
		t.Expose()
		t.Loop().Soon(func() { s.OnFailure((*anyTask)(t), err) })
	default:
		t.Loop().Report(core.Report{Kind: core.TaskFailed, What: what, Task: t.String(), Err: err})
	}
}

// restarting returns a task's function that calls f until it succeeds.
func (s *supervision) restarting(f func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		t := l.Running()
		for backoff := s.MinBackoff; ; backoff += min(backoff, s.MaxBackoff-backoff) {
			began := l.Now()
			err := attempt(ctx, t, f)
			if err == nil || ctx.Err() != nil {
				return err
			}
			now := l.Now()
			if !s.mayRestart(now) {
				s.gaveUp = t
				return fmt.Errorf("%w: the last was to be of %v: %w", ErrTooManyRestarts, t, err)
			}
			s.tell(t, err, "a task of a supervised group failed and is started again")
			if now-began >= int64(s.MaxBackoff) {
				backoff = s.MinBackoff
			}
			if err := Sleep(ctx, backoff-backoff>>17*time.Duration(l.Random(1<<16))); err != nil {
				return err
			}
		}
	}
}

// mayRestart reports whether one restart more is allowed, and counts it.
func (s *supervision) mayRestart(now int64) bool {
	if s.MaxRestarts <= 0 {
		return true
	}
	if len(s.restarts) == s.MaxRestarts {
		if s.Within <= 0 || now-s.restarts[0] <= int64(s.Within) {
			return false
		}
		s.restarts = append(s.restarts[:0], s.restarts[1:]...)
	}
	s.restarts = append(s.restarts, now)
	return true
}

// attempt calls f once, in a scope of its own, and makes an error of its panic.
func attempt(ctx context.Context, t *core.Task, f func(ctx context.Context) error) (err error) {
	defer func() {
		switch r := recover(); {
		case r == nil: // it returned, or its goroutine is exiting
		case core.IsCutOff(r):
			panic(r)
		default:
			err = t.Caught(r)
		}
	}()
	return Scope(ctx, func(ctx context.Context, _ *CancelScope) error { return f(ctx) })
}
