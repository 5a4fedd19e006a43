package core

import "context"

// A Runner is a task's function with a method that is called at the task's end.
// It is for code with very many tasks that keeps an object for each anyway. If
// it is a fmt.Stringer, that names its task.
type Runner interface {
	// Run is the task's function.
	Run(ctx context.Context) error
	// Over is called once, as a callback, when the task is over: with Run's
	// error, or a [*PanicError] if it panicked or called runtime.Goexit. A loop that
	// ends before does not call it.
	Over(err error)
}

// Launch makes r a task, as reactor.Go makes one of a function; only r gets its
// error. It costs one allocation. It may be called where Go may, and panics
// elsewhere.
func Launch(ctx context.Context, r Runner) *Task {
	if r == nil {
		panic("reactor: Launch of a nil Runner")
	}
	l := Under(ctx, "Launch").Loop()
	l.OnLoop("Launch")
	t := new(Task)
	t.Init(l, ctx, r, launched{})
	l.Push(t)
	return t
}

// launched is the keeper of tasks made by Launch.
type launched struct{}

func (launched) Ended(t *Task, _ bool) {
	t.Claim()
	t.scope.loop.tellOver(t.body.(Runner), t.err)
}

func (l *Loop) tellOver(r Runner, err error) {
	l.ready.push(&Callback{loop: l, fn: func() { r.Over(err) }})
}
