package reactor

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor/core"
)

// A TaskGroup is a group of tasks that are cancelled together; see [Group].
type TaskGroup struct {
	scope  core.Scope
	region core.Region
	n      int // tasks not ended
	limit  int // most that run at a time; 0: no limit
	held   ring[*Task[struct{}]]
	failed []*core.Task
	echoed bool // a task ended with the group's own cancellation
	gone   bool // f panicked or exited, so no caller gets the errors
	closed bool
	wait   core.WaitList

	services   services
	canceled   bool  // by Cancel
	cause      error // of Cancel
	cycle      error // a task of the group waits for the task that called Group
	supervisor *supervision
}

// Group calls f with a group and waits for all its tasks, made by g.Go, before
// it returns. At the first failure, of a task or of f, the ctx that f gets is
// cancelled, and with it f and all tasks; Group still waits for them. Tasks may
// add tasks.
//
// Group returns nil if all succeeded, and else all errors that are not echoes
// of the cancellation: those of the tasks in the order in which they ended,
// then that of f, joined by [errors.Join] if there are several. A task's panic
// becomes a [PanicError]. If ctx is done, and nothing else failed, the error is
// ctx's.
//
// An echo is the error of the task's own cancellation, possibly wrapped. The
// error of another cancellation is a failure: for instance if a task awaited
// something that was cancelled elsewhere, or its cleanup exceeded its own
// deadline.
//
// If f panics, the tasks are cancelled and awaited too, and then the panic
// continues. The loop reports the tasks' errors, because no caller gets them,
// and a task's panic ends the loop, like that of any task that was not awaited.
// (asyncio's TaskGroup.)
func Group(ctx context.Context, f func(ctx context.Context, g *TaskGroup) error) error {
	return new(TaskGroup).run(ctx, "Group", f)
}

func (g *TaskGroup) run(ctx context.Context, op string, f func(ctx context.Context, g *TaskGroup) error) error {
	w, _, err := core.Await(ctx, op)
	if err != nil {
		return err
	}
	if f == nil {
		panic("reactor: " + op + " with a nil function")
	}
	w.Enter(&g.region, &g.scope, ctx)
	returned := false
	defer g.region.Leave()
	defer func() {
		if !returned {
			g.forsake()
		}
	}()
	err = f(&g.scope, g)
	returned = true
	echo := g.scope.Echoes(err)
	if err != nil {
		g.scope.Cancel(err)
	}
	g.drain()
	return g.result(err, echo)
}

// Go makes f a task of the group, as [Go] does. After Group has returned, f is
// not called and the task's error is [ErrGroupClosed]; while the group is being
// cancelled, f is called with a ctx that is done.
func (g *TaskGroup) Go(f func(ctx context.Context) error) *Task[struct{}] {
	if f == nil {
		panic("reactor: TaskGroup.Go with a nil function")
	}
	g.scope.Loop().OnLoop("TaskGroup.Go")
	if g.closed {
		return g.refuse("TaskGroup.Go")
	}
	t := g.newTask(&g.scope, "TaskGroup.Go", f, (*groupKeeper)(g))
	g.n++
	if g.limit > 0 && g.n-g.held.len() > g.limit {
		g.held.push(t)
		t.record().Withhold()
	} else {
		t.start()
	}
	return t
}

// newTask makes a task of the group below s.
func (g *TaskGroup) newTask(s *core.Scope, op string, f func(ctx context.Context) error, k core.Keeper) *Task[struct{}] {
	if g.supervisor == nil || !g.supervisor.Restart {
		return newTask[struct{}](s, op, f, k)
	}
	t := newTask[struct{}](s, op, g.supervisor.restarting(f), k)
	t.SetName(core.FuncName(f))
	return t
}

// refuse returns a task that has failed because the group has ended.
func (g *TaskGroup) refuse(op string) *Task[struct{}] {
	return spawn[struct{}](g.scope.Loop().Detached(), op, func(context.Context) error { return ErrGroupClosed }, nil)
}

// Cancel ends the group from inside: all its tasks and its function are
// cancelled, as at a failure, and Group returns when they have ended. With a
// nil cause this is a normal end, and errors that only echo it are dropped:
// Group returns nil, unless something failed. A cause is what the tasks'
// [Cause] returns, and the first of the errors that Group returns. Cancel
// reports whether it cancelled the group, which happens only once. It may be
// called by tasks and callbacks of the loop.
func (g *TaskGroup) Cancel(cause error) bool {
	g.scope.Loop().OnLoop("TaskGroup.Cancel")
	if g.closed || !g.scope.Cancel(cause) {
		return false
	}
	g.canceled, g.cause = true, cause
	return true
}

// SetLimit limits how many of the group's tasks run at a time: further ones
// start, in order, as others end. A negative n means no limit; SetLimit panics
// for 0, which would let none start. It may be called at any time; tasks that
// run already go on. A task that [Start] makes runs at once, but counts.
func (g *TaskGroup) SetLimit(n int) {
	g.scope.Loop().OnLoop("TaskGroup.SetLimit")
	if n == 0 {
		panic("reactor: TaskGroup.SetLimit of 0, which lets no task start: a negative limit is none")
	}
	g.limit = max(0, n)
	g.admit()
}

// admit starts as many waiting tasks as the limit allows. Cancelled ones start
// too, in order to end.
func (g *TaskGroup) admit() {
	for g.held.len() > 0 && (g.limit == 0 || g.n-g.held.len() < g.limit) {
		t := g.held.pop()
		t.record().Admit((*taskFunc[struct{}])(t))
	}
}

// ErrGroupClosed is the error of a task that was added after [Group] had
// returned.
var ErrGroupClosed = errors.New("reactor: the group has ended: it takes no more tasks")

// forsake ends the group when f panicked, or its goroutine is exiting.
func (g *TaskGroup) forsake() {
	g.gone = true
	g.scope.Cancel(nil)
	for _, t := range g.failed {
		t.Loop().Unkept(t, false)
	}
	g.drain()
}

// groupKeeper is a group as the keeper of its tasks.
type groupKeeper TaskGroup

// Ended handles the end of a task of the group.
func (k *groupKeeper) Ended(t *core.Task, echo bool) {
	g := (*TaskGroup)(k)
	if g.settle(t, echo) {
		g.echoed = g.echoed || g.scope.Canceled()
	}
	g.leave()
}

// settle handles the error of a task that has ended. It reports whether that is
// only the echo of a cancellation.
func (g *TaskGroup) settle(t *core.Task, echo bool) bool {
	switch {
	case t.Outcome() == nil:
	case g.gone, t.Loop().Cutting(): // which cuts the group off, too
		t.Loop().Unkept(t, echo)
	case echo:
		return true
	case g.supervisor != nil && g.supervisor.bears(t):
	default:
		g.failed = append(g.failed, t)
		g.scope.Cancel(t.Failure())
	}
	return false
}

// leave removes a task from the group's count.
func (g *TaskGroup) leave() {
	if g.n--; g.n == 0 {
		g.wait.WakeAll(core.WokenDone)
	}
	g.admit()
}

// drain waits for the group's tasks, and then for its services, regardless of
// cancellation.
func (g *TaskGroup) drain() {
	for g.n > 0 || g.services.n > 0 {
		if g.n == 0 {
			g.services.stop()
		}
		w := g.scope.Loop().Caller("Group") // in a generator's body, not necessarily the one that began the group
		g.breakCycle(w)
		g.wait.Push(w.Node())
		w.Park(g.scope.Loop().Shielded(), (*groupWait)(g))
	}
	g.closed = true
	g.services.close()
}

// breakCycle cancels the group if one of its tasks waits for w's task, which
// can't end before the group does.
func (g *TaskGroup) breakCycle(w *core.Worker) {
	if g.scope.Canceled() {
		return
	}
	if g.cycle = w.RefuseCycles(&g.scope, (*groupWait)(g)); g.cycle != nil {
		g.scope.Cancel(g.cycle)
	}
}

// result returns the group's error. echo reports whether its function's error
// is an echo.
func (g *TaskGroup) result(body error, echo bool) error {
	errs := []error{g.cause, g.cycle}
	for _, t := range g.failed {
		t.Claim()
		errs = append(errs, t.Failure())
	}
	if body != nil && !echo {
		errs = append(errs, body)
	}
	if err := joined(errs...); err != nil {
		return err
	}
	switch {
	case g.canceled && (echo || g.echoed):
		return g.scope.OuterErr()
	case body == nil && g.echoed:
		return g.scope.AwaitErr()
	}
	return body
}

// groupWait is a group as what waits for its tasks.
type groupWait TaskGroup

func (g *groupWait) Describe(d *core.Wait) {
	d.For = "the tasks of its group:"
	d.List(g.n, g.Joins)
}

func (g *groupWait) String() string { return core.Described(g) }

func (g *groupWait) All() (bool, int) { return true, g.n }

func (g *groupWait) Joins(yield func(*core.Task) bool) {
	g.scope.KeptBy((*groupKeeper)(g), yield)
}

// Bounds returns the scope whose deadline ends the tasks that the group waits for.
func (g *groupWait) Bounds() *core.Scope { return &g.scope }
