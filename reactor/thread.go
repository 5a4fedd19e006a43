package reactor

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"github.com/eddyio/eddy/internal/gate"
	"github.com/eddyio/eddy/reactor/core"
)

// ToThread calls f on another goroutine and suspends the running task until f
// returns. It is for work that would block the loop, such as files, a C
// library, long computation, or a library with goroutines of its own. Its
// result is f's. If f panics, the error is a [PanicError].
//
// f gets ctx, which is done when its task or scope is. On its goroutine f can
// use ctx like the standard library's contexts: wait for Done, call Err and
// Value, derive others, pass it to a database driver or an http.Request. So f
// may be a method value: ToThread(ctx, client.Fetch). f must not call functions
// of this package that suspend.
//
// If ctx is done first, ToThread returns ctx's error, but f can't be stopped:
// it goes on, and its value is dropped. Its error, if it is not ctx's, or its
// panic is then reported; after the loop's end, in the log. Run waits for f at
// the loop's end, within its grace time. At most Options.MaxThreads run at a
// time; further calls wait their turn, in order.
//
// Goroutines are reused until the loop ends. An f that calls
// runtime.LockOSThread must undo that, or end by runtime.Goexit. (asyncio's
// to_thread.)
func ToThread[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	var none T
	w, s, err := core.Await(ctx, "ToThread")
	if err != nil {
		return none, err
	}
	if f == nil {
		panic("reactor: ToThread with a nil function")
	}
	l := Facade(w.Loop())
	if err := l.takeThread(w, s); err != nil {
		return none, err
	}
	c := &call[T]{f: f, ctx: ctx}
	c.loop, c.scope, c.task = l, s, w.Task()
	if l.core.Strict() {
		l.callHere(c)
	} else {
		l.callInThread(c)
	}
	if err := c.wait.Wait(w, s, waitingFor("a function in a thread")); err != nil {
		return none, err
	}
	return c.value, c.err
}

// takeThread waits for one of the loop's threads and takes it.
func (l *Loop) takeThread(w *core.Worker, s *core.Scope) error {
	if l.core.Threads(0) >= l.maxThreads {
		return l.threads.queue.Wait(w, s, waitingFor("a free thread")) // its last user hands it over
	}
	l.core.Threads(1)
	return nil
}

// A call is a ToThread in progress. Its goroutine writes value and err before
// it posts.
type call[T any] struct {
	threadCall
	f     func(ctx context.Context) (T, error)
	ctx   context.Context
	value T
}

// A threadCall is the part of a call that does not depend on its result's type.
type threadCall struct {
	loop  *Loop
	scope *core.Scope // under which the task waits
	task  *core.Task
	err   error
	panic *PanicError // equals err, and does not yet name the task
	wait  core.WaitList
}

// A calling is a call of any type.
type calling interface {
	do()
	record() *threadCall
}

func (c *call[T]) record() *threadCall { return &c.threadCall }

// do calls the function on the current goroutine. If the function calls
// runtime.Goexit, do does not return.
func (c *call[T]) do() {
	returned := false
	defer func() {
		if !returned {
			c.failed(recover())
		}
	}()
	c.value, c.err = c.f(c.ctx)
	returned = true
}

// failed is called when the function has panicked with r, or exited if r is
// nil.
func (c *threadCall) failed(r any) {
	if r == nil {
		c.err = ErrGoexit
		return
	}
	c.panic = &PanicError{Value: r, Stack: debug.Stack()}
	c.err = c.panic
}

// returned is called on the function's goroutine when the function has
// returned, if the goroutine is not reused.
func (c *threadCall) returned() {
	if !c.loop.core.Post(c.done) {
		c.lost()
	}
}

// done is called on the loop when the function has returned.
func (c *threadCall) done() {
	l := c.loop
	if !l.threads.queue.WakeFirst(core.WokenDone) {
		l.core.Threads(-1)
	}
	c.name()
	if c.wait.Empty() {
		c.report(l.report)
	}
	c.wait.WakeAll(core.WokenDone)
}

func (c *threadCall) name() {
	if c.panic != nil {
		c.panic.Task = "a function that " + c.task.String() + " gave to ToThread"
	}
}

// lost is called when the function has returned after the loop's end.
func (c *threadCall) lost() {
	c.name()
	c.report(c.loop.logReport)
}

// report reports the function's failure if the task no longer waits for it.
func (c *threadCall) report(tell func(Report)) {
	switch {
	case c.panic != nil, isPanicError(c.err):
		tell(Report{Kind: TaskFailed, What: "a function in a thread panicked, and nobody waited for it any more", Task: c.task.String(), Err: c.err})
	case c.err != nil && !c.scope.Echoes(c.err):
		tell(Report{Kind: TaskFailed, What: "a function in a thread failed, and nobody waited for it any more", Task: c.task.String(), Err: c.err})
	}
}

// Submit makes f a task of the loop and returns a function that waits for its
// result, blocking the calling goroutine: the bridge from ordinary goroutines
// to tasks. Both Submit and wait may be called from any goroutine but the
// loop's own: a task that blocked in wait would block the loop, so there wait
// returns an error. If the ctx given to wait is done first, the task is
// cancelled and wait returns ctx's error; the loop reports the task's error,
// unless that is its cancellation or another call of wait returns it. If the
// loop has ended, or ends before f was called, the error is [ErrLoopClosed]. f
// is a task of the loop like any other: wait returns a panic or a
// runtime.Goexit of it as a [PanicError]. (asyncio's run_coroutine_threadsafe.)
func Submit[T any](l *Loop, f func(ctx context.Context) (T, error)) (wait func(ctx context.Context) (T, error)) {
	if f == nil {
		panic("reactor: Submit with a nil function")
	}
	sub := &submission[T]{loop: &l.core}
	err := l.core.RefuseOutside("Submit")
	if err == nil && !l.core.Post(func() { sub.start(f) }) {
		err = ErrLoopClosed
	}
	if err != nil {
		sub.err = err
		sub.over.Open()
	}
	return sub.wait
}

type submission[T any] struct {
	loop  *core.Loop
	task  *Task[T]
	over  gate.Gate
	value T // this and err are set before over is opened
	err   error

	waits  atomic.Int32 // calls of wait that will return the result
	gaveUp bool         // a call of wait returned without the result, and cancelled the task
	told   bool         // err was reported
}

func (sub *submission[T]) start(f func(ctx context.Context) (T, error)) {
	l := sub.loop
	if l.Closing() {
		sub.err = ErrLoopClosed
		sub.over.Open()
		return
	}
	sub.task = spawn[T](l.Root(), "Submit", f, sub)
}

func (sub *submission[T]) Ended(t *core.Task, _ bool) {
	sub.value, sub.err = sub.task.value, t.Outcome()
	sub.over.Open()
	if sub.gaveUp {
		sub.report()
	}
}

// report reports the task's error if no call of wait returns it. It ignores any
// cancellation: the task may have got it from the waiter's ctx before it was
// cancelled itself.
func (sub *submission[T]) report() {
	if sub.waits.Load() == 0 && !sub.told {
		sub.told = true
		t := sub.task.record()
		sub.loop.Unkept(t, sub.loop.IsCancellation(t.Outcome()))
	}
}

// giveUp is called on the loop when a call of wait has returned without the result.
func (sub *submission[T]) giveUp(cause error) {
	if sub.task == nil {
		return
	}
	sub.gaveUp = true
	if !sub.task.Cancel(cause) && sub.task.record().Over() {
		sub.report()
	}
}

// Abandoned is called when the task will never end.
func (sub *submission[T]) Abandoned() {
	sub.err = ErrLoopClosed
	sub.over.Open()
}

func (sub *submission[T]) wait(ctx context.Context) (T, error) {
	var none T
	if sub.loop.OnThread() {
		return none, errors.New("reactor: a submission can't be waited for on its own loop: it would wait for itself; a task calls the function itself, a callback starts a task with reactor.Go")
	}
	sub.waits.Add(1)
	if !sub.over.Wait(ctx) {
		sub.waits.Add(-1)
		if sub.loop.Post(func() { sub.giveUp(context.Cause(ctx)) }) {
			return none, ctx.Err()
		}
		sub.over.Wait(context.Background()) // the loop has ended
	}
	return sub.value, sub.err
}
