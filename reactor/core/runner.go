package core

import "context"

// A Runner is a task's function that learns of the task's end, for those who
// have very many tasks, and something to remember for each anyway. If it is a
// fmt.Stringer, its task is called by that name.
type Runner interface {
	// Run is the task's function.
	Run(ctx context.Context) error
	// Over is called once, as a callback, when the task is over: with Run's
	// error, or a [*PanicError] if it panicked or called runtime.Goexit. A loop that
	// ends before does not call it.
	Over(err error)
}

// Launch makes r a task, as reactor.Go does a function; its error is r's own affair. It
// costs one allocation. It may be called where Go may, and panics elsewhere.
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

// launched is the keeper of tasks that were made by Launch.
type launched struct{}

func (launched) Ended(t *Task, _ bool) {
	t.Claim()
	t.scope.loop.tellOver(t.body.(Runner), t.err)
}

func (l *Loop) tellOver(r Runner, err error) {
	l.ready.push(&Callback{loop: l, fn: func() { r.Over(err) }})
}
