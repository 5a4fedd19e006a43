package reactor

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor/core"
)

// A TaskGroup is tasks that stand and fall together; see [Group].
type TaskGroup struct {
	scope  core.Scope
	region core.Region
	n      int // tasks not ended
	limit  int // of those that run at a time; 0: none
	held   ring[*Task[struct{}]]
	failed []*core.Task
	echoed bool // a task ended in the group's own cancellation
	gone   bool // f panicked or exited, so nobody can be told of what fails
	closed bool
	wait   core.WaitList

	services   services
	canceled   bool  // by Cancel
	cause      error // of Cancel
	cycle      error // a task waits for the one that the group is in
	supervisor *supervision
}

// Group calls f with a group whose tasks, made by g.Go, it awaits before it
// returns: no task outlives it. At the first failure, of a task or of f, all
// others and f itself are cancelled, by way of the ctx that f gets, and then
// awaited. Tasks may add tasks.
//
// Group returns nil if all succeeded, and else every error that is not a mere
// echo of the cancellation: those of tasks in the order in which they ended,
// then that of f; joined by [errors.Join] if there are several. A task's panic
// is a [PanicError] among them. When ctx is done, and nothing else failed, the
// error is ctx's.
//
// An echo is the error of the task's own cancellation, as it is or wrapped. The
// error of another one is a failure, and says so: of a task that awaited something
// which was cancelled elsewhere, or whose cleanup ran into a deadline of its own.
//
// If f panics, the tasks are cancelled and awaited too, and the panic goes on as
// it is. The tasks' errors, which no caller can be told then, are the loop's to
// report, and a task's panic ends the loop, as of any task that nobody awaited.
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

// Go makes f a task of the group, as [Go] does. Once the group has returned, f
// is not called and the task's error is [ErrGroupClosed]; while it is being
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
// cancelled, as at a failure, and Group returns when they have stopped. With a
// nil cause that is an end like any other, and the errors that are nothing but
// its echo are dropped: Group returns nil, unless something failed. A cause is
// what the tasks' [Cause] returns, and the first of the errors that Group
// returns. Cancel reports whether it did anything: a group is cancelled once. It
// may be called by tasks and callbacks of the loop.
func (g *TaskGroup) Cancel(cause error) bool {
	g.scope.Loop().OnLoop("TaskGroup.Cancel")
	if g.closed || !g.scope.Cancel(cause) {
		return false
	}
	g.canceled, g.cause = true, cause
	return true
}

// SetLimit bounds how many of the group's tasks run at a time: those that are
// added beyond that start, in order, as others end. A negative n means no limit, and
// 0, which would let none start, panics. SetLimit may be called at any time; those
// that run already go on. A task that [Start] makes runs at once, but counts.
func (g *TaskGroup) SetLimit(n int) {
	g.scope.Loop().OnLoop("TaskGroup.SetLimit")
	if n == 0 {
		panic("reactor: TaskGroup.SetLimit of 0, which lets no task start: a negative limit is none")
	}
	g.limit = max(0, n)
	g.admit()
}

// admit starts as many of the tasks that are held back as the limit allows. Those
// that are cancelled start too, to end.
func (g *TaskGroup) admit() {
	for g.held.len() > 0 && (g.limit == 0 || g.n-g.held.len() < g.limit) {
		t := g.held.pop()
		t.record().Admit((*taskFunc[struct{}])(t))
	}
}

// ErrGroupClosed is the error of a task that was added to a [Group] which had
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

// Ended notes the end of a task of the group.
func (k *groupKeeper) Ended(t *core.Task, echo bool) {
	g := (*TaskGroup)(k)
	if g.settle(t, echo) {
		g.echoed = g.echoed || g.scope.Canceled()
	}
	g.leave()
}

// settle deals with the error of a task that has ended. It reports whether that is
// nothing but the echo of a cancellation.
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

// leave counts a task of the group out.
func (g *TaskGroup) leave() {
	if g.n--; g.n == 0 {
		g.wait.WakeAll(core.WokenDone)
	}
	g.admit()
}

// drain waits for the group's tasks, and then for its services, whatever is
// cancelled meanwhile.
func (g *TaskGroup) drain() {
	for g.n > 0 || g.services.n > 0 {
		if g.n == 0 {
			g.services.stop()
		}
		w := g.scope.Loop().Caller("Group") // not the one that began it, in a generator's body
		g.breakCycle(w)
		g.wait.Push(w.Node())
		w.Park(g.scope.Loop().Shielded(), (*groupWait)(g))
	}
	g.closed = true
	g.services.close()
}

// breakCycle cancels the group if one of its tasks waits for w's, which can't end
// before the group does.
func (g *TaskGroup) breakCycle(w *core.Worker) {
	if g.scope.Canceled() {
		return
	}
	if g.cycle = w.RefuseCycles(&g.scope, (*groupWait)(g)); g.cycle != nil {
		g.scope.Cancel(g.cycle)
	}
}

// result returns the group's error. echo says that its function's is one.
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
