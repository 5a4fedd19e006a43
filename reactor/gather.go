package reactor

import (
	"context"

	"github.com/eddyio/eddy/reactor/core"
)

// Gather runs the functions concurrently as tasks, and returns their values in
// the order of the arguments when all have returned. The first error is
// returned at once; the other tasks go on, and further failures are logged.
// When ctx is done the tasks are cancelled, and Gather returns ctx's error when
// all have ended. To gather tasks that exist already, pass their Await methods.
// (asyncio's gather; to cancel all when one fails, use [Group].)
func Gather[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) ([]T, error) {
	w, s, err := core.Await(ctx, "Gather")
	if err != nil {
		return nil, err
	}
	g := &gathering{left: len(fs), under: s}
	tasks := spawnAll(ctx, "Gather", fs, g)
	if err := g.join(w, s); err != nil {
		return nil, err
	}
	values := make([]T, len(fs))
	for i, t := range tasks {
		values[i] = t.value
	}
	return values, nil
}

func spawnAll[T any](ctx context.Context, op string, fs []func(ctx context.Context) (T, error), k core.Keeper) []*Task[T] {
	for _, f := range fs {
		if f == nil {
			panic("reactor: " + op + " with a nil function")
		}
	}
	tasks := make([]*Task[T], len(fs))
	for i, f := range fs {
		tasks[i] = spawn[T](ctx, op, f, k)
	}
	return tasks
}

// An Outcome is the result of one function of a [GatherAll].
type Outcome[T any] struct {
	Value T
	Err   error
}

// GatherAll is like [Gather], but waits for all even if some fail, and returns
// the outcome of each, in the order of the arguments. When ctx is done the
// tasks are cancelled; GatherAll still waits for them, and returns the outcomes
// together with ctx's error. (asyncio's gather with return_exceptions.)
func GatherAll[T any](ctx context.Context, fs ...func(ctx context.Context) (T, error)) ([]Outcome[T], error) {
	w, s, err := core.Await(ctx, "GatherAll")
	if err != nil {
		return nil, err
	}
	c := &collection{left: len(fs), under: s}
	tasks := spawnAll(ctx, "GatherAll", fs, c)
	defer c.forsake()
	for c.left > 0 {
		if e := c.wait.Wait(w, s, c); e != nil {
			err, s = e, w.Loop().Shielded() // the tasks are below the scope that is done
		}
	}
	c.failed = nil
	outcomes := make([]Outcome[T], len(fs))
	for i, t := range tasks {
		outcomes[i] = Outcome[T]{t.value, t.record().Outcome()}
	}
	return outcomes, err
}

// A collection keeps the tasks of one GatherAll.
type collection struct {
	left   int
	under  *core.Scope  // the parent of the tasks' scopes
	failed []*core.Task // other than by cancellation; until GatherAll returns them
	wait   core.WaitList
}

func (c *collection) Ended(t *core.Task, echo bool) {
	switch {
	case t.Outcome() == nil, echo:
	case t.Loop().Cutting(): // which cuts GatherAll off, too
		t.Loop().Unkept(t, echo)
	default:
		c.failed = append(c.failed, t)
	}
	if c.left--; c.left == 0 {
		c.wait.WakeAll(core.WokenDone)
	}
}

// forsake reports the failures that a GatherAll did not return because it was
// cut off.
func (c *collection) forsake() {
	for _, t := range c.failed {
		t.Loop().Unkept(t, false)
	}
}

// A gathering keeps the tasks of one Gather.
type gathering struct {
	left     int
	under    *core.Scope // the parent of the tasks' scopes
	failed   *core.Task  // the first failure, which Gather returns
	canceled bool        // Gather returns ctx's error instead
	wait     core.WaitList
}

func (g *gathering) Ended(t *core.Task, echo bool) {
	g.left--
	if t.Outcome() != nil {
		if g.failed == nil && !g.canceled && !t.Loop().Cutting() {
			g.failed = t
		} else {
			t.Loop().Unkept(t, echo)
		}
	}
	if g.left == 0 || g.failed != nil {
		g.wait.WakeAll(core.WokenDone)
	}
}

// join waits for all tasks, or for the first failure. Once s is done the tasks,
// which are below it, are cancelled, and join waits for all of them.
func (g *gathering) join(w *core.Worker, s *core.Scope) error {
	for g.left > 0 && g.failed == nil {
		g.wait.Push(w.Node())
		if w.Park(s, g) != core.WokenCanceled {
			continue
		}
		g.canceled = true
		if t := g.failed; t != nil { // failed after the cancellation
			g.failed = nil
			w.Loop().Unkept(t, t.Echo())
		}
		for g.left > 0 {
			g.wait.Push(w.Node())
			w.Park(w.Loop().Shielded(), g)
		}
		return s.AwaitErr()
	}
	if g.failed != nil {
		return g.failed.Outcome()
	}
	return nil
}

func (c *collection) Describe(d *core.Wait) {
	d.For = "the tasks that it gathers:"
	d.List(c.left, c.Joins)
}

func (c *collection) String() string { return core.Described(c) }

func (c *collection) All() (bool, int) { return true, c.left }

func (c *collection) Joins(yield func(*core.Task) bool) { c.under.KeptBy(c, yield) }

func (g *gathering) Describe(d *core.Wait) {
	d.For = "the tasks that it gathers:"
	if g.canceled {
		d.For = "the tasks that it gathers, which are cancelled:"
	}
	d.List(g.left, g.Joins)
}

func (g *gathering) String() string { return core.Described(g) }

func (g *gathering) All() (bool, int) { return g.canceled, g.left }

func (g *gathering) Joins(yield func(*core.Task) bool) { g.under.KeptBy(g, yield) }
