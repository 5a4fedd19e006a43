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
// returns: for what would block the loop, such as files, a C library, long
// computation, or a library with goroutines of its own. Its result is f's. If f
// panics, that is a [PanicError].
//
// f gets ctx, which is done when the task or scope is that it belongs to. On its
// goroutine f can do with ctx what the standard library's contexts are for: wait for
// Done, ask Err and Value, derive others, hand it to a database driver or an
// http.Request. So a method value will do as f: ToThread(ctx, client.Fetch).
// Nothing of this package that suspends may be called there.
//
// When ctx is done first, ToThread returns ctx's error, but f can't be stopped:
// it goes on, and its value is dropped. Its error, if it is not ctx's, and its panic
// are reported then; after the loop's end, in the log. Run waits for f at the loop's
// end, within its grace time. At most Options.MaxThreads run at a time; further
// calls wait their turn, in order.
//
// Goroutines are used again until the loop ends. An f that calls
// runtime.LockOSThread must undo that, or end by runtime.Goexit.
// (asyncio's to_thread.)
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

// takeThread takes one of the loop's threads, and waits until there is one.
func (l *Loop) takeThread(w *core.Worker, s *core.Scope) error {
	if l.core.Threads(0) >= l.maxThreads {
		return l.threads.queue.Wait(w, s, waitingFor("a free thread")) // handed over by the one that has it
	}
	l.core.Threads(1)
	return nil
}

// A call is one ToThread. Its goroutine writes value and err before it posts.
type call[T any] struct {
	threadCall
	f     func(ctx context.Context) (T, error)
	ctx   context.Context
	value T
}

// A threadCall is a call without its result's type.
type threadCall struct {
	loop  *Loop
	scope *core.Scope // under which the task waits
	task  *core.Task
	err   error
	panic *PanicError // is err, and does not yet name the task
	wait  core.WaitList
}

// A calling is a call.
type calling interface {
	do()
	record() *threadCall
}

func (c *call[T]) record() *threadCall { return &c.threadCall }

// do calls the function, on whatever goroutine. If that calls runtime.Goexit, do
// does not return.
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

// failed is called when the function has panicked, or has exited if r is nil.
func (c *threadCall) failed(r any) {
	if r == nil {
		c.err = ErrGoexit
		return
	}
	c.panic = &PanicError{Value: r, Stack: debug.Stack()}
	c.err = c.panic
}

// returned is called on the function's goroutine when it has returned, and the
// goroutine is not used again.
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

// report reports what the function failed with when the task does not wait for it
// any more.
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
// returns an error. When the ctx given to wait is done first, the task is
// cancelled and wait returns ctx's error; what the task then fails with, other than
// by being cancelled, is the loop's to report, unless another call of wait gets it.
// When the loop has ended, or ends before f was called, the error is
// [ErrLoopClosed]. f is a task of the loop as any other: a panic in it, or a
// runtime.Goexit, is a [PanicError] for wait.
// (asyncio's run_coroutine_threadsafe.)
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
	gaveUp bool         // one did not, and cancelled the task
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

// report reports the task's error if no call of wait returns it. Any cancellation
// is taken for the one that the waiter gave up with: the task may have had it from
// the waiter's ctx before it was cancelled itself.
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

// Abandoned is told that the task will never end.
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
