package reactor

import (
	"context"
	"errors"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Task is a coroutine that runs concurrently with others, and a handle to its
// result. It is also the [context.Context] that its function runs under:
// cancelling the task cancels everything derived from it.
//
// Unless documented otherwise, its methods may be called only by tasks and
// callbacks of the task's loop.
type Task[T any] struct {
	value T // first, because an empty last field would take a word
	anyTask
}

// AnyTask is a [Task] of any type.
type AnyTask interface {
	Wait(ctx context.Context) error
	Cancel(cause error) bool
	OnDone(f func()) *Handle
	Finished() bool
	ID() uint64
	SetName(name string)
	String() string
	record() *core.Task
}

// anyTask is the part of a Task that does not depend on its result's type.
type anyTask core.Task

func (t *anyTask) record() *core.Task { return (*core.Task)(t) }

// A taskFunc is the job that runs a task's function.
type taskFunc[T any] Task[T]

// Record returns the task's record.
func (t *taskFunc[T]) Record() *core.Task { return t.record() }

// exec runs the task on a worker, to its end.
func (t *taskFunc[T]) Exec(w *core.Worker) {
	r := t.record()
	r.RunsOn(w)
	defer r.Leave(w)
	switch f := r.Body().(type) {
	case func(context.Context) error:
		r.Returned(f(r.Scope()))
	case func(context.Context) (T, error):
		value, err := f(r.Scope())
		t.value = value
		r.Returned(err)
	}
}

// Go makes f a task of ctx's loop and returns at once; f starts on the loop's
// next turn, in the order of the calls. The ctx that f gets is derived from
// ctx, and done when ctx is. The task may outlive its maker, but not the loop.
// f is called even if ctx is done by then, so that it can clean up what was
// passed to it; its awaits then fail at once.
//
// Tasks should be awaited. If none does, an error of f is logged, and a panic
// in it ends the loop; see [Task.Wait]. The error is logged when the task that
// called Go ends, or as soon as the garbage collector finds f's task
// unreachable, but not while it can still be awaited.
//
// Go costs one allocation. It may be called by tasks and callbacks of the loop;
// elsewhere, and for a nil f, it panics. (asyncio's create_task.)
func Go(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
	if f == nil {
		panic("reactor: Go with a nil function")
	}
	return spawn[struct{}](ctx, "Go", f, nil)
}

// Async is like [Go], for a function that returns a value: [Task.Await] gives it.
func Async[T any](ctx context.Context, f func(ctx context.Context) (T, error)) *Task[T] {
	if f == nil {
		panic("reactor: Async with a nil function")
	}
	return spawn[T](ctx, "Async", f, nil)
}

func spawn[T any](ctx context.Context, op string, body any, k core.Keeper) *Task[T] {
	t := newTask[T](ctx, op, body, k)
	t.start()
	return t
}

// newTask makes a task that is not queued to run.
func newTask[T any](ctx context.Context, op string, body any, k core.Keeper) *Task[T] {
	l := core.Under(ctx, op).Loop()
	l.OnLoop(op)
	t := &Task[T]{}
	t.record().Init(l, ctx, body, k)
	return t
}

// start queues t to run.
func (t *Task[T]) start() { t.record().Loop().Push((*taskFunc[T])(t)) }

// Wait suspends the running task until t is over, and returns t's error, or
// that of ctx if ctx is done first; t then goes on. If t is over already, Wait
// returns its error without suspending; but if ctx is done it returns ctx's
// error, like every await ([Task.Result] does not check a ctx). If t panicked,
// or called runtime.Goexit, the error is a [PanicError]. Any number of tasks
// may wait, any number of times; they are woken in the order of their calls.
func (t *anyTask) Wait(ctx context.Context) error {
	_, err := (*core.Task)(t).Join(ctx, "Task.Wait")
	return err
}

// Await is like [Task.Wait], and returns the task's value too. As a method value
// (t.Await) it is a coroutine function itself.
func (t *Task[T]) Await(ctx context.Context) (T, error) {
	over, err := t.record().Join(ctx, "Task.Await")
	if !over {
		var none T
		return none, err
	}
	return t.value, err
}

// OnDone makes the loop call f, like [Loop.CallSoon], when the task is over.
// Waiting tasks and callbacks are served in the order of their calls. The
// task's error then counts as awaited, and is not reported.
func (t *anyTask) OnDone(f func()) *Handle {
	r := t.record()
	h := newHandle(r.Loop(), "Task.OnDone", f)
	h.core.WhenOver(r)
	return h
}

// Result returns the task's value and error without waiting; the error is
// [ErrNotDone] while the task is not over.
func (t *Task[T]) Result() (T, error) {
	r := t.record()
	r.Loop().OnLoop("Task.Result")
	if !r.Over() {
		var none T
		return none, ErrNotDone
	}
	r.Claim()
	return t.value, r.Outcome()
}

// ErrNotDone is returned by Result if there is no result yet.
var ErrNotDone = errors.New("reactor: not done yet")

// Cancel makes the task's ctx done, and all contexts derived from it: the
// task's awaits, now and later, return an error that is [context.Canceled] and,
// if cause is not nil, wraps cause. Cancel does not wait, and the task may
// handle the cancellation as it likes. Cancel reports whether it cancelled the
// task, which was neither over nor cancelled before.
func (t *anyTask) Cancel(cause error) bool { return t.record().Cancel(cause) }

// Finished reports whether the task is over.
func (t *anyTask) Finished() bool {
	r := t.record()
	r.Loop().OnLoopOrOver("Task.Finished")
	return r.Over()
}

// ID returns the task's number, which is unique among the loop's live tasks.
// Equal IDs mean the same task.
func (t *anyTask) ID() uint64 { return t.record().ID() }

// SetName sets the task's name for traces, logs and errors.
func (t *anyTask) SetName(name string) { t.record().SetName(name) }

// String returns the task's name, or else its number and, unless it has ended
// without error, its function. It may be called from anywhere; on other
// goroutines than the loop's it omits the function.
func (t *anyTask) String() string { return t.record().String() }

// The methods of context.Context, which any goroutine may call.

func (t *anyTask) Deadline() (time.Time, bool) { return t.record().Deadline() }
func (t *anyTask) Done() <-chan struct{}       { return t.record().Done() }
func (t *anyTask) Err() error                  { return t.record().Err() }
func (t *anyTask) Value(key any) any           { return t.record().Value(key) }

// AfterFunc is the method that the standard library's context package uses when
// it derives a context from one that is not its own (see cancelKey): with it no
// goroutine is needed to propagate a cancellation. f is called on the loop's
// thread, or, if the scope is done already, on a goroutine of its own, and must
// not block. For other purposes use [context.AfterFunc], which starts a
// goroutine.
func (t *anyTask) AfterFunc(f func()) (stop func() bool) {
	return t.record().Scope().AfterFunc(f)
}
