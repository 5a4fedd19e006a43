package reactor

import "context"

// A Runner is a task's function that is told of the task's end, for those who
// have very many tasks, and something to remember for each anyway. If it is a
// fmt.Stringer, its task is called by that name.
type Runner interface {
	// Run is the task's function.
	Run(ctx context.Context) error
	// Over is called once, as a callback, when the task is over: with Run's
	// error, or a [*PanicError] if it panicked or called runtime.Goexit, which ends
	// this task alone. A loop that ends before does not call it.
	Over(err error)
}

// Launch makes r a task, as [Go] does a function; its error is r's own affair. It
// costs one allocation. It may be called where Go may, and panics elsewhere.
func Launch(ctx context.Context, r Runner) AnyTask {
	if r == nil {
		panic("reactor: Launch of a nil Runner")
	}
	l := scopeOf(ctx, "Launch").Loop()
	l.onLoop("Launch")
	t := new(task)
	t.init(l, ctx, r, launched{})
	l.push(t)
	return (*anyTask)(t)
}

// launched is the keeper of tasks that were made by Launch.
type launched struct{}

func (launched) Ended(t *task, _ bool) {
	t.claim()
	t.loop.tellOver(t.body.(Runner), t.err)
}

func (l *loop) tellOver(r Runner, err error) {
	l.ready.push(&callback{loop: l, fn: func() { r.Over(err) }})
}
