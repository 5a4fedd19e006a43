package reactor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Supervisor configures a group in which the failure of one task does not
// affect the others. The zero Supervisor only reports failures; with Restart it
// also calls the functions again. (Kotlin's supervisorScope, Erlang's
// supervisor.)
type Supervisor struct {
	// Restart makes the function of a task that failed, by an error or a panic,
	// be called again, in the same task. Each call has a ctx of its own, which
	// cancels what a failed call left running. The task ends when the function
	// returns nil or the task was cancelled. A runtime.Goexit is a failure that
	// ends it too: nothing can be called in its task again.
	Restart bool

	// MaxRestarts limits how often the functions of one group may be called
	// again within any period of length Within, or, if that is 0, during the
	// whole life of the group. One more failure ends the group, with
	// [ErrTooManyRestarts], so that an outer supervisor can handle failures
	// that restarts do not cure. 0 means no limit. (Erlang's intensity and
	// period.)
	MaxRestarts int
	Within      time.Duration

	// MinBackoff is the pause before a function is called again after its first
	// failure; each failure in a row doubles it, up to MaxBackoff. The pauses
	// are shortened at random, by half at most, so that functions that failed
	// together do not restart together; in a simulation the seed decides. After
	// a run of at least MaxBackoff the pause is MinBackoff again. 0 means 100
	// ms for MinBackoff, and half a minute for MaxBackoff.
	MinBackoff, MaxBackoff time.Duration

	// OnFailure is called as a callback of the loop with each failure; a panic
	// is a [*PanicError]. If it is nil, failures are reported like errors that
	// were not awaited (see [Options]).
	OnFailure func(t AnyTask, err error)
}

// ErrTooManyRestarts is returned by the Group of a [Supervisor] whose functions
// failed more often than MaxRestarts allows. The error also wraps the last
// failure.
var ErrTooManyRestarts = errors.New("reactor: too many restarts")

// Group is like the function [Group], but failures of tasks are handled as s is
// configured, and are not among the errors that Group returns. An error of f
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

// supervision is the state of a Supervisor in one group.
//
// Invariant: restarts holds the times of the last restarts, MaxRestarts of them
// at most, the oldest first.
type supervision struct {
	Supervisor
	restarts []int64
	gaveUp   *core.Task // the task whose failure was one too many
}

// bears handles the failure of a task that has ended, and reports whether the
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

// mayRestart reports whether one more restart is allowed, and counts it.
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

// attempt calls f once, in a scope of its own, and turns a panic into an error.
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
