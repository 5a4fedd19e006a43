package reactor

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"github.com/eddyio/eddy/internal/gate"
)

// ToThread calls f on a goroutine of its own and suspends the running task
// until f returns: for what would block the loop, such as files, a C library, or long
// computation. Its result is f's. If f panics, that is a [PanicError].
//
// When ctx is done first, ToThread returns ctx's error, but f can't be stopped:
// it goes on, and its value is dropped. Its error, if it is not ctx's, and its panic
// are reported then; after the loop's end, in the log. Run waits for f at the loop's
// end, within its grace time. At most Options.MaxThreads run at a time; further
// calls wait their turn, in order. (asyncio's to_thread.)
func ToThread[T any](ctx context.Context, f func() (T, error)) (T, error) {
	var none T
	w, s, err := await(ctx, "ToThread")
	if err != nil {
		return none, err
	}
	if f == nil {
		panic("reactor: ToThread with a nil function")
	}
	l := facadeOf(w.Loop())
	if err := l.takeThread(w, s); err != nil {
		return none, err
	}
	c := &call[T]{f: f, loop: l, scope: s, name: w.Task().String()}
	if l.core.strict() {
		c.run()
	} else {
		go c.run()
	}
	if err := c.wait.wait(w, s, waitingFor("a function in a thread")); err != nil {
		return none, err
	}
	return c.value, c.err
}

// takeThread takes one of the loop's threads, and waits until there is one.
func (l *Loop) takeThread(w *worker, s *scope) error {
	if l.core.Threads(0) >= l.maxThreads {
		return l.threadQueue.wait(w, s, waitingFor("a free thread")) // handed over by the one that has it
	}
	l.core.Threads(1)
	return nil
}

// A call is one ToThread. Its goroutine writes value and err before it posts.
type call[T any] struct {
	f     func() (T, error)
	loop  *Loop
	scope *scope // under which the task waits
	name  string
	value T
	err   error
	wait  waitList
}

func (c *call[T]) run() {
	returned := false
	defer func() {
		if !returned {
			if r := recover(); r != nil {
				c.err = &PanicError{"a function that " + c.name + " gave to ToThread", r, debug.Stack()}
			} else {
				c.err = errors.New("reactor: the function called runtime.Goexit")
			}
		}
		if !c.loop.core.post(c.done) {
			c.report(c.loop.logReport)
		}
	}()
	c.value, c.err = c.f()
	returned = true
}

func (c *call[T]) done() {
	l := c.loop
	if !l.threadQueue.wakeFirst(wokenDone) {
		l.core.Threads(-1)
	}
	if c.wait.empty() {
		c.report(l.report)
	}
	c.wait.wakeAll(wokenDone)
}

// report reports what the function failed with when the task does not wait for it
// any more.
func (c *call[T]) report(tell func(Report)) {
	switch {
	case isPanicError(c.err):
		tell(Report{What: "a function in a thread panicked, and nobody waited for it any more", Task: c.name, Err: c.err})
	case c.err != nil && !c.scope.echoes(c.err):
		tell(Report{What: "a function in a thread failed, and nobody waited for it any more", Task: c.name, Err: c.err})
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
// [ErrLoopClosed]. f is a task of the loop as any other: a panic in it is a
// [PanicError] for wait, and runtime.Goexit ends Run.
// (asyncio's run_coroutine_threadsafe.)
func Submit[T any](l *Loop, f func(ctx context.Context) (T, error)) (wait func(ctx context.Context) (T, error)) {
	if f == nil {
		panic("reactor: Submit with a nil function")
	}
	sub := &submission[T]{loop: &l.core}
	err := l.core.refuseOutside("Submit")
	if err == nil && !l.core.post(func() { sub.start(f) }) {
		err = ErrLoopClosed
	}
	if err != nil {
		sub.err = err
		sub.over.Open()
	}
	return sub.wait
}

type submission[T any] struct {
	loop  *loop
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

func (sub *submission[T]) Ended(t *task, _ bool) {
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
		sub.loop.Ended(t, sub.loop.isCancellation(t.Outcome()))
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
	if sub.loop.onThread() {
		return none, errors.New("reactor: a submission can't be waited for on its own loop: it would wait for itself; a task calls the function itself, a callback starts a task with reactor.Go")
	}
	sub.waits.Add(1)
	if !sub.over.Wait(ctx) {
		sub.waits.Add(-1)
		if sub.loop.post(func() { sub.giveUp(context.Cause(ctx)) }) {
			return none, ctx.Err()
		}
		sub.over.Wait(context.Background()) // the loop has ended
	}
	return sub.value, sub.err
}
