package reactor

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
)

// A task is the record of a task: what is the same whatever the type of its result.
type task struct {
	scope
	body    any // a func(context.Context) error, or a func(context.Context) (T, error)
	err     error
	waiters waitList
	keeper  keeper // who is told of its end; nil once it is over
	id      uint32
	over    bool
	claimed bool // somebody got the result
	echo    bool // err is nothing but that of the task's own cancellation
	exposed bool // somebody has it who does not hold its result
}

// A keeper is told of the end of the tasks that it made, and whether their error
// is a mere echo of their cancellation: a group, a gathering, or simply another task.
type keeper interface{ Ended(t *task, echo bool) }

// A taskJob is a job that runs a task.
type taskJob interface {
	job
	Record() *task
}

// Record returns t: a task whose body is a [Runner] is a job itself.
func (t *task) Record() *task { return t }

// init makes t, which is zero, a task under ctx, of which body is the function: it
// names the task. k is told of its end; if it is nil, that is the running task.
func (t *task) init(l *loop, ctx context.Context, body any, k keeper) {
	if k == nil && l.cur.task != nil && l.cur.state == running {
		k = l.cur.task
	}
	t.body, t.keeper = body, k
	l.lastID++
	t.id = l.lastID
	t.scope.init(ctx, &l.detached)
	l.live++
}

// runsOn notes that t begins to run on w. It is followed by the deferred call of
// leave, and the call of t's function by that of returned.
func (t *task) runsOn(w *worker) {
	w.task, w.scope = t, &t.scope
	t.w = w
}

// returned notes what t's function has returned.
func (t *task) returned(err error) { t.err, t.over = err, true }

// withhold takes t, which has not begun, out of the tasks that keep the loop going,
// until admit.
func (t *task) withhold() { t.loop.live-- }

// admit starts a task that was withheld. job is what runs it.
func (t *task) admit(job job) {
	t.loop.live++
	t.loop.ready.push(job)
}

// Outcome returns the error of t, which is over.
func (t *task) Outcome() error { return t.err }

// Body returns what t was made of.
func (t *task) Body() any { return t.body }

// Over reports whether t is over.
func (t *task) Over() bool { return t.over }

// Echo reports whether the error of t is nothing but that of its own cancellation.
func (t *task) Echo() bool { return t.echo }

// Waiters returns the list of those who wait for t's end.
func (t *task) Waiters() *waitList { return &t.waiters }

// Scope returns t's scope.
func (t *task) Scope() *scope { return &t.scope }

// Loop returns t's loop.
func (t *task) Loop() *loop { return t.loop }

// Keep makes k the one that is told of t's end; nil is nobody.
func (t *task) Keep(k keeper) { t.keeper = k }

// Expose notes that somebody has t who may use it after its end.
func (t *task) Expose() { t.exposed = true }

// leave ends the task, however its function was left.
func (t *task) leave(w *worker) {
	if t.w == nil {
		return // it is at rest already: see Dormant
	}
	if t.over {
		t.finish(w)
		return
	}
	r := recover()
	t.over = true
	t.err = t.caught(r)
	contained := t.containsGoexit()
	t.finish(w)
	switch {
	case r != nil:
	case contained:
		w.leave()
	default:
		w.die()
	}
}

// containsGoexit reports whether a runtime.Goexit in t ends t alone: it does in a
// Runner, whose Over learns of it. A server's handlers are Runners, and one of them
// must not end all others.
func (t *task) containsGoexit() bool {
	switch t.keeper.(type) {
	case launched, *Dormant:
		return true
	}
	return false
}

func (t *task) finish(w *worker) {
	l := t.loop
	if t.err != nil {
		t.echo = t.echoes(t.err)
	}
	w.dropShadow()
	if w.inner != nil || w.body != nil {
		w.clearRegions()
	}
	w.task, w.scope = nil, nil
	t.scope.end()
	l.live--
	if !t.waiters.empty() {
		t.claimed = t.claimed || t.waiters.told()
		t.waiters.wakeAll(wokenDone)
	}
	if t == l.main {
		l.shutdown()
	} else if t.keeper != nil { // not nil for a task that a callback made
		t.keeper.Ended(t, t.echo)
	} else {
		l.Ended(t, t.echo)
	}
	t.orphan()
	t.keeper = nil
	if t.err == nil {
		t.body = nil
	}
}

// Ended is told of the end of a task that t made, and has no other keeper.
func (t *task) Ended(made *task, echo bool) { t.loop.Ended(made, echo) }

// exec runs a Runner. It is not Task[T]'s, for a generic function costs a
// frame more on each task's stack.
func (t *task) exec(w *worker) {
	t.runsOn(w)
	defer t.leave(w)
	t.returned(t.body.(interface {
		Run(ctx context.Context) error
	}).Run(&t.scope))
}

// caught makes an error of what a task's function was left by, other than a
// return: a panic, or runtime.Goexit, for which recover gives nil. It must be
// called where the stack is still that of the panic.
func (t *task) caught(r any) error {
	switch r.(type) {
	case nil:
		if t.containsGoexit() {
			return &PanicError{t.String(), errGoexit, debug.Stack()}
		}
		return errGoexit
	case cutOff:
		t.loop.tell(report{What: "a task did not stop at the loop's end and was cut off",
			Task: t.String(), Err: ErrCutOff, Stack: debug.Stack()})
		return ErrCutOff
	default:
		return t.loop.facade.Panicked(t.String(), t.loop.scratch.explain(r), debug.Stack())
	}
}

// qualified returns the name of a function, with its package's path.
func qualified(f any) string { return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() }

// funcName returns the name of a function, with its package's last element.
func funcName(f any) string { return shortName(qualified(f)) }

// shortName returns a function's name without the path of its package.
func shortName(name string) string {
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "-fm") // of a method value
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

// cancelTask makes t's scope done, unless t is over.
func (t *task) cancelFor(cause error) bool {
	t.loop.onLoop("Task.Cancel")
	return !t.over && t.scope.Cancel(cause)
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
