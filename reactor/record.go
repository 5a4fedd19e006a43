package reactor

import (
	"context"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
)

// task is a Task without its result's type.
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
	exposed bool // somebody has it as an AnyTask
}

// A keeper is told of the end of the tasks that it made, and whether their error
// is a mere echo of their cancellation: a group, a gathering, or simply another task.
type keeper interface{ ended(t *task, echo bool) }

// leave ends the task, however its function was left.
func (t *task) leave(w *worker) {
	if t.w == nil {
		return // it is at rest already: see Dormant
	}
	exiting := false
	if !t.over {
		r := recover()
		t.over, exiting = true, r == nil
		t.err = t.caught(r)
	}
	t.finish(w)
	if exiting {
		w.die()
	}
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
		t.keeper.ended(t, t.echo)
	} else {
		l.ended(t, t.echo)
	}
	t.orphan()
	t.keeper = nil
	if t.err == nil {
		t.body = nil
	}
}

// ended is told of the end of a task that t made, and has no other keeper.
func (t *task) ended(made *task, echo bool) { t.loop.ended(made, echo) }

// exec runs a Runner. It is not Task[T]'s, for a generic function costs a
// frame more on each task's stack.
func (t *task) exec(w *worker) {
	w.task, w.scope = t, &t.scope
	t.w = w
	defer t.leave(w)
	t.err = t.body.(interface {
		Run(ctx context.Context) error
	}).Run(&t.scope)
	t.over = true
}

// caught makes an error of what a task's function was left by, other than a
// return: a panic, or runtime.Goexit, for which recover gives nil. It must be
// called where the stack is still that of the panic.
func (t *task) caught(r any) error {
	switch r.(type) {
	case nil:
		return errGoexit
	case cutOff:
		t.loop.tell(Report{What: "a task did not stop at the loop's end and was cut off",
			Task: t.String(), Err: ErrCutOff, Stack: debug.Stack()})
		return ErrCutOff
	default:
		return &PanicError{t.String(), t.loop.scratch.explain(r), debug.Stack()}
	}
}

// funcName returns the name of a function, with its package's last element.
func funcName(f any) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "-fm") // of a method value
}
