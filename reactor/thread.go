package reactor

import (
	"context"
	"errors"
	"runtime/debug"
)

// ToThread calls f on a goroutine of its own and suspends the running task
// until f returns: for what would block the loop, such as files, a C library, or long
// computation. Its result is f's. If f panics, that is a [PanicError].
//
// When ctx is done first, ToThread returns ctx's error, but f can't be stopped:
// it goes on, and its result is dropped. Run waits for it at the loop's end,
// within its grace time. At most Options.MaxThreads run at a time; further
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
	if err := w.loop.takeThread(w, s); err != nil {
		return none, err
	}
	c := &call[T]{f: f, loop: w.loop, name: w.task.String()}
	if w.loop.strict() {
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
	if l.threads >= l.maxThreads {
		return l.threadQueue.wait(w, s, waitingFor("a free thread")) // handed over by the one that has it
	}
	l.threads++
	return nil
}

// A call is one ToThread. Its goroutine writes value and err before it posts.
type call[T any] struct {
	f     func() (T, error)
	loop  *Loop
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
		c.loop.post(c.done)
	}()
	c.value, c.err = c.f()
	returned = true
}

func (c *call[T]) done() {
	l := c.loop
	if !l.threadQueue.wakeFirst(wokenDone) {
		l.threads--
	}
	c.wait.wakeAll(wokenDone)
}

// Submit makes f a task of the loop and returns a function that waits for its
// result, blocking the calling goroutine: the bridge from ordinary goroutines
// to tasks. Both Submit and wait may be called from any goroutine but the
// loop's own: a task that blocked in wait would block the loop, so there wait
// returns an error. When the ctx given to wait is done first, the task is
// cancelled and wait returns ctx's error. When the loop has ended, or ends
// before f was called, the error is [ErrLoopClosed].
// (asyncio's run_coroutine_threadsafe.)
func Submit[T any](l *Loop, f func(ctx context.Context) (T, error)) (wait func(ctx context.Context) (T, error)) {
	if f == nil {
		panic("reactor: Submit with a nil function")
	}
	l.refuseOutside("Submit")
	sub := &submission[T]{loop: l, done: make(chan struct{})}
	if !l.post(func() { sub.start(f) }) {
		sub.err = ErrLoopClosed
		close(sub.done)
	}
	return sub.wait
}

type submission[T any] struct {
	loop  *Loop
	task  *Task[T]
	done  chan struct{}
	value T
	err   error
}

func (sub *submission[T]) start(f func(ctx context.Context) (T, error)) {
	l := sub.loop
	if l.closing {
		sub.err = ErrLoopClosed
		close(sub.done)
		return
	}
	sub.task = spawn[T](&l.root, "Submit", f, sub)
}

func (sub *submission[T]) ended(t *task, _ bool) {
	sub.value, sub.err = sub.task.value, t.err
	close(sub.done)
}

// abandoned is told that the task will never end.
func (sub *submission[T]) abandoned() {
	sub.err = ErrLoopClosed
	close(sub.done)
}

func (sub *submission[T]) wait(ctx context.Context) (T, error) {
	var none T
	if sub.loop.onThread() {
		return none, errors.New("reactor: a submission can't be waited for on its own loop: it would wait for itself")
	}
	select {
	case <-sub.done:
		return sub.value, sub.err
	case <-ctx.Done():
		sub.loop.post(func() {
			if sub.task != nil {
				sub.task.Cancel(context.Cause(ctx))
			}
		})
		return none, ctx.Err()
	}
}
