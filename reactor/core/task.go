package core

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A Task is the record of a task: the part that does not depend on its result's
// type.
type Task struct {
	scope   Scope
	body    any // a func(context.Context) error, or a func(context.Context) (T, error)
	err     error
	waiters WaitList
	keeper  Keeper // notified of its end; nil once it is over
	id      uint32
	over    bool
	claimed bool // the result was claimed
	echo    bool // err is only that of the task's own cancellation
	exposed bool // other code refers to the record
}

// A Keeper is notified of the end of the tasks that it made, and whether their
// error only echoes their cancellation. It is a group, a gathering, or simply
// another task.
type Keeper interface{ Ended(t *Task, echo bool) }

// A TaskJob is a job that runs a task.
type TaskJob interface {
	Job
	Record() *Task
}

// Record returns t: a task whose body is a [Runner] is itself a job.
func (t *Task) Record() *Task { return t }

// Init makes the zero t a task under ctx. body is its function, which names the
// task. k is its keeper; nil means the running task.
func (t *Task) Init(l *Loop, ctx context.Context, body any, k Keeper) {
	if k == nil && l.cur.task != nil && l.cur.state == running {
		k = l.cur.task
	}
	t.body, t.keeper = body, k
	l.lastID++
	t.id = l.lastID
	t.scope.Init(ctx, &l.detached)
	l.live++
	if l.rec != nil {
		l.rec.made(t)
	}
}

// RunsOn records that t begins to run on w. The caller must then defer Leave,
// and call Returned after t's function.
func (t *Task) RunsOn(w *Worker) {
	w.task, w.scope = t, &t.scope
	t.scope.w = w
	if t.scope.loop.annotates {
		t.annotate()
	}
}

// Returned records the error that t's function has returned.
func (t *Task) Returned(err error) { t.err, t.over = err, true }

// Withhold excludes t, which has not begun, from the tasks that keep the loop
// running, until Admit.
func (t *Task) Withhold() { t.scope.loop.live-- }

// Admit starts a task that was withheld. job runs it.
func (t *Task) Admit(job Job) {
	t.scope.loop.live++
	t.scope.loop.ready.push(job)
}

// Outcome returns the error of t, which must be over.
func (t *Task) Outcome() error { return t.err }

// Body returns the body passed to Init.
func (t *Task) Body() any { return t.body }

// Over reports whether t is over.
func (t *Task) Over() bool { return t.over }

// Echo reports whether the error of t is only that of its own cancellation.
func (t *Task) Echo() bool { return t.echo }

// Waiters returns the list of tasks and hooks that wait for t's end.
func (t *Task) Waiters() *WaitList { return &t.waiters }

// Scope returns t's scope.
func (t *Task) Scope() *Scope { return &t.scope }

// Loop returns t's loop.
func (t *Task) Loop() *Loop { return t.scope.loop }

// Keep makes k the keeper of t; nil means none.
func (t *Task) Keep(k Keeper) { t.keeper = k }

// Expose records that other code may use t after its end.
func (t *Task) Expose() { t.exposed = true }

// Leave ends the task, whether its function returned, panicked or called
// runtime.Goexit.
func (t *Task) Leave(w *Worker) {
	if t.scope.w == nil {
		return // ended by rest: see Dormant
	}
	if t.over {
		t.finish(w)
		return
	}
	r := recover()
	t.over = true
	t.err = t.Caught(r)
	t.finish(w)
	if r == nil {
		w.leave()
	}
}

func (t *Task) finish(w *Worker) {
	l := t.scope.loop
	if t.err != nil {
		t.echo = t.scope.Echoes(t.err)
	}
	if l.rec != nil {
		l.rec.ended(t)
	}
	if l.traced {
		t.endTrace()
	}
	w.dropShadow()
	if w.inner != nil || w.body != nil {
		w.clearRegions()
	}
	w.task, w.scope = nil, nil
	t.scope.end()
	l.live--
	if !t.waiters.Empty() {
		t.claimed = t.claimed || t.waiters.told()
		t.waiters.WakeAll(WokenDone)
	}
	if t == l.main {
		l.shutdown()
	} else if t.keeper != nil { // not nil for a task that a callback made
		t.keeper.Ended(t, t.echo)
	} else {
		l.Unkept(t, t.echo)
	}
	t.orphan()
	t.keeper = nil
	if t.err == nil {
		t.body = nil
	}
}

// Ended handles the end of a task that t made and that has no other keeper.
func (t *Task) Ended(made *Task, echo bool) { t.scope.loop.Unkept(made, echo) }

// Exec runs a Runner. It is not a method of Task[T], because a generic function
// costs one more frame on each task's stack.
func (t *Task) Exec(w *Worker) {
	t.RunsOn(w)
	defer t.Leave(w)
	t.Returned(t.body.(interface {
		Run(ctx context.Context) error
	}).Run(&t.scope))
}

// Caught returns the error of a task's function that did not return: r is the
// recovered value of its panic, or nil for runtime.Goexit. It must be called
// while the stack is still that of the panic.
func (t *Task) Caught(r any) error {
	switch r.(type) {
	case nil:
		if t == t.scope.loop.main {
			t.scope.loop.goexit = true
		}
		return t.scope.loop.facade.Panicked(t.String(), ErrGoexit, debug.Stack())
	case cutOff:
		t.scope.loop.Report(Report{Kind: NotStopped, What: "a task did not stop at the loop's end and was cut off",
			Task: t.String(), Err: ErrCutOff, Stack: debug.Stack()})
		return ErrCutOff
	default:
		return t.scope.loop.facade.Panicked(t.String(), t.scope.loop.scratch.explain(r), debug.Stack())
	}
}

// qualified returns the name of a function, with its package's path.
func qualified(f any) string { return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name() }

// FuncName returns the name of a function, with its package's last element.
func FuncName(f any) string { return shortName(qualified(f)) }

// shortName returns a function's name without the path of its package.
func shortName(name string) string {
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "-fm") // of a method value
}

// Join waits until t is over, and returns its error. If t is not over when the
// wait ends, the error is that of the wait.
func (t *Task) Join(ctx context.Context, op string) (over bool, err error) {
	w, s, err := Await(ctx, op)
	if err != nil {
		return false, err
	}
	if w.loop != t.scope.loop {
		return false, fmt.Errorf("reactor: %s of a task of another loop: use Submit to reach that loop", op)
	}
	if !t.over {
		if err := w.refuseCycle(s, t); err != nil {
			return false, err
		}
		t.waiters.Push(&w.node)
		if w.Park(s, t) == WokenCanceled {
			return false, s.AwaitErr()
		}
	}
	t.Claim()
	if t.err != nil {
		t.answered()
	}
	return true, t.err
}

// Cancel makes t's scope done, unless t is over.
func (t *Task) Cancel(cause error) bool {
	t.scope.loop.OnLoop("Task.Cancel")
	return !t.over && t.scope.Cancel(cause)
}

// ID returns the task's number, which is unique among the loop's live tasks.
// Equal IDs mean the same task.
func (t *Task) ID() uint64 { return uint64(t.id) }

// SetName sets the task's name for traces, logs and errors.
func (t *Task) SetName(name string) {
	t.scope.loop.OnLoopOrOver("Task.SetName")
	t.scope.more().name.Store(&name)
	if r := t.scope.loop.recording.Load(); r != nil {
		r.name(t.id, name)
	}
	if t.scope.loop.annotates {
		t.renamed()
	}
}

// String returns the task's name, or else its number and, unless it has ended
// without error, its function. It may be called from anywhere; on other
// goroutines than the loop's it omits the function.
func (t *Task) String() string {
	if e := t.scope.extra.Load(); e != nil {
		if name := e.name.Load(); name != nil {
			return fmt.Sprintf("task %d (%s)", t.id, *name)
		}
	}
	if !t.scope.loop.OnThread() && !t.scope.loop.finished.Load() {
		return fmt.Sprintf("task %d", t.id)
	}
	return t.Name().String()
}

// A task is the context of what it runs. Any goroutine may call these methods.

func (t *Task) Deadline() (time.Time, bool) { return t.scope.Deadline() }
func (t *Task) Done() <-chan struct{}       { return t.scope.Done() }
func (t *Task) Err() error                  { return t.scope.Err() }
func (t *Task) Value(key any) any           { return t.scope.Value(key) }
