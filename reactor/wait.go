package reactor

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/eddyio/eddy/reactor/core"
)

// A WaitMode determines when [Wait] returns.
type WaitMode uint8

const (
	AllDone     WaitMode = iota // when all tasks are over
	FirstDone                   // when one is
	FirstFailed                 // when one has failed, other than by cancellation, or all are over
)

// Wait suspends the running task until the tasks are over as mode requires, and
// returns those that are over and those that are not, each in the order of the
// arguments. It cancels none of them, and their errors do not count as awaited.
// The error is ctx's, if ctx is done first, and the lists are correct even
// then; or it reports that there are no tasks. For tasks of several types T is
// [AnyTask]. (asyncio's wait.)
func Wait[T AnyTask](ctx context.Context, mode WaitMode, tasks ...T) (done, pending []T, err error) {
	core.Caller(ctx, "Wait")
	if len(tasks) == 0 {
		return nil, nil, errors.New("reactor: Wait without tasks")
	}
	if err := allOf(ctx, "Wait", tasks); err != nil {
		return nil, nil, err
	}
	w, s, err := core.Await(ctx, "Wait")
	if err == nil {
		v := newWatch(tasks, mode)
		for err == nil && !v.satisfied() {
			err = v.wait(w, s)
		}
		v.stop()
	}
	for _, t := range tasks {
		if t.record().Over() {
			done = append(done, t)
		} else {
			pending = append(pending, t)
		}
	}
	return done, pending, err
}

// allOf returns an error unless all the tasks belong to ctx's loop: the end of
// another loop's task would be reported on another thread.
func allOf[T AnyTask](ctx context.Context, op string, tasks []T) error {
	s := core.Nearest(ctx)
	for _, t := range tasks {
		if s != nil && t.record().Loop() != s.Loop() {
			return fmt.Errorf("reactor: %s for a task of another loop: use Submit to reach that loop", op)
		}
	}
	return nil
}

// A watch records the ends of tasks, in order.
type watch struct {
	mode    WaitMode
	left    int
	failed  bool
	over    []*core.Task
	tasks   []*core.Task
	hooks   []core.Waiter // of tasks, by the same index
	changed core.WaitList
}

func newWatch[T AnyTask](tasks []T, mode WaitMode) *watch {
	v := &watch{mode: mode, left: len(tasks), tasks: make([]*core.Task, len(tasks)), hooks: make([]core.Waiter, len(tasks))}
	for i, t := range tasks {
		t := t.record()
		v.tasks[i] = t
		if t.Over() {
			v.ended(t)
			continue
		}
		v.hooks[i].Hook = core.HookFunc(func() { v.ended(t) })
		t.Waiters().Push(&v.hooks[i])
	}
	return v
}

func (v *watch) ended(t *core.Task) {
	v.left--
	v.over = append(v.over, t)
	if t.Outcome() != nil && !t.Echo() {
		v.failed = true
	}
	v.changed.WakeAll(core.WokenDone)
}

func (v *watch) satisfied() bool {
	switch v.mode {
	case FirstDone:
		return len(v.over) > 0
	case FirstFailed:
		return v.failed || v.left == 0
	}
	return v.left == 0
}

// wait waits until another task has ended.
func (v *watch) wait(w *core.Worker, s *core.Scope) error {
	if err := w.RefuseCycles(s, v); err != nil {
		return err
	}
	return v.changed.Wait(w, s, v)
}

func (v *watch) Describe(d *core.Wait) {
	switch {
	case v.left == 1:
	case v.mode == FirstDone:
		d.For = "one of"
	case v.mode == FirstFailed:
		d.For = "all, or a failure, of"
	}
	d.List(v.left, v.Joins)
}

func (v *watch) String() string { return core.Described(v) }

func (v *watch) All() (bool, int) { return v.mode == AllDone, v.left }

func (v *watch) Joins(yield func(*core.Task) bool) {
	for i := range v.hooks {
		if x := &v.hooks[i]; x.Waits() && !yield(v.tasks[i]) {
			return
		}
	}
}

// stop removes the hooks from the tasks that go on.
func (v *watch) stop() {
	for i := range v.hooks {
		v.hooks[i].Leave()
	}
}

// AsCompleted returns an iterator that yields the tasks in the order in which
// they end. It cancels none, and does not return their results: call their
// Result, which does not wait. Once ctx is done, it yields a nil task and ctx's
// error and ends. For tasks of several types T is [AnyTask]. (asyncio's
// as_completed.)
func AsCompleted[T AnyTask](ctx context.Context, tasks ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		core.Caller(ctx, "AsCompleted")
		if err := allOf(ctx, "AsCompleted", tasks); err != nil {
			yield(none, err)
			return
		}
		byTask := make(map[*core.Task]T, len(tasks))
		for _, t := range tasks {
			byTask[t.record()] = t
		}
		v := newWatch(tasks, FirstDone)
		defer v.stop()
		for i := range tasks {
			w, s, err := core.Await(ctx, "AsCompleted")
			for err == nil && i == len(v.over) {
				err = v.wait(w, s)
			}
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(byTask[v.over[i]], nil) {
				return
			}
		}
	}
}
