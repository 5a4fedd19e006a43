package reactor

import (
	"context"
	"errors"
	"fmt"
)

// A Task is a coroutine that runs beside others, and the promise of its
// result. It is also the [context.Context] of what it runs: its function and
// all that descends from it are cancelled with it.
//
// Unless a method says otherwise, it may be called only by tasks and callbacks
// of the task's loop.
type Task[T any] struct {
	value T // first, for an empty last field would take a word
	task
}

// exec runs the task on a worker, to its end.
func (t *Task[T]) exec(w *worker) {
	w.task, w.scope = &t.task, &t.scope
	t.w = w
	defer t.leave(w)
	switch f := t.body.(type) {
	case func(context.Context) error:
		t.err = f(&t.scope)
	case func(context.Context) (T, error):
		t.value, t.err = f(&t.scope)
	}
	t.over = true
}

// Go makes f a task of ctx's loop and returns at once; f starts on the loop's
// next turn, in the order of the calls. The task descends from ctx: when ctx is
// done, so is the ctx that f gets. It may outlive its maker, but not the loop.
// f is called even if ctx is done by then, so that what was handed to it gets
// cleaned up; its awaits then fail at once.
//
// Somebody should await the task. If nobody does, an error of f is logged, and
// a panic in it ends the loop; see [Task.Wait]. The error is logged when the task
// that called Go ends, or as soon as the garbage collector finds that nobody refers
// to f's task, but never while somebody may await it.
//
// Go costs one allocation. It may be called by tasks and callbacks of the loop;
// elsewhere, and for a nil f, it panics. (asyncio's create_task.)
func Go(ctx context.Context, f func(ctx context.Context) error) *Task[struct{}] {
	if f == nil {
		panic("reactor: Go with a nil function")
	}
	return spawn[struct{}](ctx, "Go", f, nil)
}

// Async is as [Go], for a function that returns a value: [Task.Await] gives it.
func Async[T any](ctx context.Context, f func(ctx context.Context) (T, error)) *Task[T] {
	if f == nil {
		panic("reactor: Async with a nil function")
	}
	return spawn[T](ctx, "Async", f, nil)
}

func spawn[T any](ctx context.Context, op string, body any, k keeper) *Task[T] {
	s := nearest(ctx)
	if s == nil {
		panic("reactor: " + op + " outside a task: pass the ctx that a task's function receives (see reactor.Run)")
	}
	t := newTask[T](s.loop, ctx, op, body, k)
	t.loop.ready.push(t)
	return t
}

func newTask[T any](l *Loop, ctx context.Context, op string, body any, k keeper) *Task[T] {
	l.onLoop(op)
	if k == nil && l.cur.task != nil && l.cur.state == running {
		k = l.cur.task
	}
	t := &Task[T]{}
	t.body, t.keeper = body, k
	l.lastID++
	t.id = l.lastID
	t.scope.init(ctx, &l.detached)
	l.live++
	return t
}

// join waits until t is over. The error is that of the wait, not t's.
func (t *task) join(ctx context.Context, op string) error {
	w, s, err := await(ctx, op)
	if err != nil {
		return err
	}
	if w.loop != t.loop {
		return fmt.Errorf("reactor: %s of a task of another loop: use Submit to reach that loop", op)
	}
	if !t.over {
		if err := w.refuseCycle(s, t); err != nil {
			return err
		}
		t.waiters.push(&w.node)
		if w.park(s, t) == wokenCanceled {
			return s.awaitErr()
		}
	}
	t.claim()
	if t.err != nil {
		t.answered()
	}
	return nil
}

// ErrSelf is returned to a task that waits for itself, and, wrapped by an error that
// names them, to one that waits for others which wait for it. It is found when the
// wait begins that would never end, unless a deadline or a foreign context ends it.
var ErrSelf = errors.New("reactor: a task can't wait for itself")

// Wait suspends the running task until t is over, and returns t's error, or
// that of ctx if ctx is done first; t then goes on. When t is over already, Wait
// returns its error without suspending; but under a ctx that is done, as every
// await, that of ctx: [Task.Result] does not ask ctx. If t panicked, the
// error is a [PanicError]. Any number of tasks may wait, any number of times;
// they are woken in the order in which they came.
func (t *task) Wait(ctx context.Context) error {
	if err := t.join(ctx, "Task.Wait"); err != nil {
		return err
	}
	return t.err
}

// Await is as [Task.Wait], and returns the task's value too. As a method value
// (t.Await) it is a coroutine function itself.
func (t *Task[T]) Await(ctx context.Context) (T, error) {
	if err := t.join(ctx, "Task.Await"); err != nil {
		var none T
		return none, err
	}
	return t.value, t.err
}

// OnDone makes the loop call f, as [Loop.CallSoon] does, when the task is over.
// Waiting tasks and callbacks are served in the order in which they came. Who
// is called so counts as having been told of the task's error.
func (t *task) OnDone(f func()) *Handle {
	h := t.loop.newHandle("Task.OnDone", f)
	if t.over {
		t.claim()
		t.loop.ready.push(h)
	} else {
		h.node = &waiter{hook: h}
		t.waiters.push(h.node)
	}
	return h
}

// Result returns the task's value and error without waiting; the error is
// [ErrNotDone] while the task is not over.
func (t *Task[T]) Result() (T, error) {
	t.loop.onLoop("Task.Result")
	if !t.over {
		var none T
		return none, ErrNotDone
	}
	t.claim()
	return t.value, t.err
}

// ErrNotDone is the result of what has none yet.
var ErrNotDone = errors.New("reactor: not done yet")

// Cancel makes the task's ctx done, and with it all that descends from it:
// what the task awaits, now or later, returns [context.Canceled], and cause
// too, for errors.Is, if cause is not nil. Cancel does not wait; what the task
// makes of it is its own affair. It is true the first time, if the task is not
// over and not cancelled.
func (t *task) Cancel(cause error) bool {
	t.loop.onLoop("Task.Cancel")
	return !t.over && t.cancel(because(cause))
}

// Finished reports whether the task is over.
func (t *task) Finished() bool {
	t.loop.onLoopOrOver("Task.Finished")
	return t.over
}

// ID returns the task's number, which no other task of the loop has while it
// lives: so two AnyTasks can be told to be one.
func (t *task) ID() uint64 { return uint64(t.id) }

// SetName gives the task a name, which is used wherever it is spoken of.
func (t *task) SetName(name string) {
	t.loop.onLoopOrOver("Task.SetName")
	t.more().name.Store(&name)
}

// String names the task: by the name it was given, or else by its number and,
// unless it has ended well, its function. It may be called from anywhere; on other
// goroutines than the loop's it does not tell the function.
func (t *task) String() string {
	if e := t.extra.Load(); e != nil {
		if name := e.name.Load(); name != nil {
			return fmt.Sprintf("task %d (%s)", t.id, *name)
		}
	}
	if !t.loop.onThread() && !t.loop.finished.Load() {
		return fmt.Sprintf("task %d", t.id)
	}
	switch body := t.body.(type) {
	case nil:
		return fmt.Sprintf("task %d", t.id)
	case fmt.Stringer: // a Runner that has a name
		return fmt.Sprintf("task %d (%v)", t.id, body)
	case Runner:
		return fmt.Sprintf("task %d (%T)", t.id, body)
	}
	return fmt.Sprintf("task %d (%s)", t.id, funcName(t.body))
}
