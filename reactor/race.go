package reactor

import (
	"context"
	"errors"
	"slices"

	"github.com/eddyio/eddy/reactor/core"
)

// Race runs the functions as tasks and returns the result of the first to end,
// whether a value or an error. The others are cancelled, and Race waits for
// them. So their deferred cleanup has run when Race returns.
//
// Of functions that end in the same turn, the one that the loop runs first
// wins. When ctx is done all are cancelled, and the first to end still wins:
// usually with ctx's error, but a value that was there in time is not lost.
//
// A loser's value is dropped. Its error, unless it only echoes the
// cancellation, is reported like one that was not awaited; its panic is
// returned as a [PanicError], together with the winner's value. If a loser may
// return something that must be closed, use [GatherUntil], which returns that
// too. For the first success use [Any]. (trio's wait_any idiom, Promise.race.)
func Race[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if len(fs) == 0 {
		return none, errors.New("reactor: Race without functions")
	}
	r, err := runRace(ctx, "Race", func(int, Outcome[T]) bool { return true }, fs)
	if err != nil {
		return none, err
	}
	for _, e := range r.ended[1:] {
		if !isPanicError(e.task.Outcome()) {
			e.report()
		}
	}
	winner := r.tasks[r.ended[0].index]
	return winner.value, joined(append([]error{winner.record().Outcome()}, r.panics(1)...)...)
}

// Any runs the functions as tasks and returns the value of the first to
// succeed. The others are cancelled, and Any waits for them, like [Race]. If
// one succeeds, the errors of others are dropped. But a panic ends the race,
// and is returned as a [PanicError].
//
// If all fail, Any returns their errors in the order of the arguments, by
// [errors.Join]. If ctx is done, its error comes first, and errors that only
// echo it are left out. (Promise.any, and Java's anySuccessfulOrThrow.)
func Any[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if len(fs) == 0 {
		return none, errors.New("reactor: Any without functions")
	}
	r, err := runRace(ctx, "Any", func(_ int, o Outcome[T]) bool { return o.Err == nil || isPanicError(o.Err) }, fs)
	if err != nil {
		return none, err
	}
	for i, e := range r.ended {
		if e.task.Outcome() == nil {
			return r.tasks[e.index].value, joined(r.panics(i + 1)...)
		}
		if isPanicError(e.task.Outcome()) {
			return none, joined(r.panics(i)...)
		}
	}
	errs := []error{r.outer}
	for _, t := range r.tasks {
		if t := t.record(); r.outer == nil || !t.Echo() {
			errs = append(errs, t.Outcome())
		}
	}
	return none, joined(errs...)
}

// GatherUntil is like [GatherAll], but can end early: each time a function
// ends, the task that called GatherUntil calls enough with the index of the
// function among the arguments and its outcome. Once enough returns true it is
// not called again; the functions that still run are cancelled, and GatherUntil
// waits for them. It returns the outcomes of all functions, in the order of the
// arguments: an Err of [context.Canceled] means that the function was cut
// short.
//
// If ctx is done before enough has returned true, all functions are cancelled,
// and GatherUntil returns their outcomes together with ctx's error. (Java's
// StructuredTaskScope with Joiner.allUntil.)
func GatherUntil[T any](ctx context.Context, enough func(i int, o Outcome[T]) bool, fs ...func(ctx context.Context) (T, error)) ([]Outcome[T], error) {
	if enough == nil {
		panic("reactor: GatherUntil with a nil function")
	}
	r, err := runRace(ctx, "GatherUntil", enough, fs)
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome[T], len(fs))
	for i, t := range r.tasks {
		outcomes[i] = Outcome[T]{t.value, t.record().Outcome()}
	}
	if r.won {
		return outcomes, nil
	}
	return outcomes, r.outer
}

// A race is a group of functions of which not all need to succeed.
//
// Invariant: ended holds the entrants whose tasks are over, in the order in
// which they ended.
type race[T any] struct {
	field
	tasks []*Task[T]
	won   bool  // enough has returned true
	outer error // error of the scope around the race, if that is done
}

// field is the part of a race that does not depend on its result's type.
type field struct {
	op       string
	entrants []entrant
	ended    []*entrant
	changed  core.WaitList
}

// An entrant keeps one task of a race.
type entrant struct {
	field    *field
	index    int
	task     *core.Task
	reported bool
}

func (e *entrant) Ended(t *core.Task, _ bool) {
	if t.Loop().Cutting() { // the race is cut off, too
		e.report()
	}
	e.field.ended = append(e.field.ended, e)
	e.field.changed.WakeAll(core.WokenDone)
}

// report makes the loop report the error of a task if no caller will get it.
func (e *entrant) report() {
	if !e.reported {
		e.reported = true
		e.task.Loop().Unkept(e.task, e.task.Echo())
	}
}

// runRace runs the functions until one's outcome is enough, and waits for all.
// The error is set if the race could not begin.
func runRace[T any](ctx context.Context, op string, enough func(i int, o Outcome[T]) bool, fs []func(ctx context.Context) (T, error)) (*race[T], error) {
	for _, f := range fs {
		if f == nil {
			panic("reactor: " + op + " with a nil function")
		}
	}
	r := &race[T]{tasks: make([]*Task[T], len(fs))}
	r.entrants = make([]entrant, len(fs))
	decided, told := false, false
	return r, inScope(ctx, op, func(ctx context.Context, s *CancelScope) error {
		defer func() {
			if !told { // enough panicked, or the task is cut off
				for _, e := range r.ended {
					e.report()
				}
			}
		}()
		defer func() {
			s.Cancel(errRaceOver)
			for len(r.ended) < len(fs) {
				r.wait(s.scope.Loop(), op)
			}
			told = decided
		}()
		for i, f := range fs {
			r.entrants[i].field, r.entrants[i].index = &r.field, i
			r.tasks[i] = spawn[T](ctx, op, f, &r.entrants[i])
			r.entrants[i].task = r.tasks[i].record()
		}
		for i := 0; i < len(fs) && !r.won; i++ {
			for i == len(r.ended) {
				r.wait(s.scope.Loop(), op)
			}
			t := r.tasks[r.ended[i].index]
			r.won = enough(r.ended[i].index, Outcome[T]{t.value, t.record().Outcome()})
		}
		if s.scope.Canceled() {
			r.outer = s.scope.AwaitErr()
		}
		decided = true
		return nil
	})
}

// errRaceOver is the cause with which the losers of a race are cancelled.
var errRaceOver = errors.New("the race is over: another function has won it")

// wait waits until another task has ended. It needs no scope: the tasks are
// below the caller's scope, and end when that is done.
func (f *field) wait(l *core.Loop, op string) {
	w := l.Caller(op) // in a generator's body it may not be the one that began the race
	f.op = op
	f.changed.Wait(w, l.Shielded(), f)
}

func (f *field) Describe(d *core.Wait) {
	d.For = "the functions of its " + f.op + ":"
	d.List(len(f.entrants)-len(f.ended), f.running)
}

func (f *field) String() string { return core.Described(f) }

// running yields the tasks that are not over.
func (f *field) running(yield func(*core.Task) bool) {
	for i := range f.entrants {
		if t := f.entrants[i].task; t != nil && !t.Over() && !yield(t) {
			return
		}
	}
}

// panics returns the panics of the tasks that ended, from the i-th on.
func (r *race[T]) panics(i int) (errs []error) {
	for _, e := range r.ended[i:] {
		if isPanicError(e.task.Outcome()) {
			errs = append(errs, e.task.Outcome())
		}
	}
	return errs
}

// joined is like errors.Join, but returns a single error unchanged.
func joined(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

func isPanicError(err error) bool {
	_, ok := err.(*PanicError)
	return ok
}
