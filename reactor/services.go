package reactor

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor/core"
)

// services are the tasks of a group that end last.
//
// Invariant: only stop cancels scope, and it is called only when no other task
// of the group is left.
type services struct {
	group *TaskGroup // nil until there is a service
	scope core.Scope
	n     int // tasks not ended
}

// GoService makes f a task of the group, like [TaskGroup.Go], that serves the
// others: it is cancelled only when all others, and the group's function, have
// ended, and Group then waits for it too. However the group ends, by a failure,
// by [TaskGroup.Cancel] or because the ctx around it is done, the others are
// cancelled first, and their cleanup can still use the services. All services
// are cancelled together; for one that has to outlive another, use a group
// within the group.
//
// The final cancellation of a service is not a failure; any other error of it,
// at any time, fails the group. A service may return early. It does not count
// for SetLimit, and tasks that it starts by [Go] under its ctx are cancelled
// with the services.
//
// So a server's helpers, such as the writer of its log or a pool of
// connections, outlive the handlers that use them and their grace time.
func (g *TaskGroup) GoService(f func(ctx context.Context) error) *Task[struct{}] {
	if f == nil {
		panic("reactor: TaskGroup.GoService with a nil function")
	}
	g.scope.Loop().OnLoop("TaskGroup.GoService")
	if g.closed {
		return g.refuse("TaskGroup.GoService")
	}
	v := &g.services
	t := g.newTask(v.begin(g), "TaskGroup.GoService", f, v)
	v.n++
	t.start()
	return t
}

// begin returns the scope of the services, which the first one makes.
func (v *services) begin(g *TaskGroup) *core.Scope {
	g.scope.Loop().OnLoop("TaskGroup.GoService")
	if v.group == nil {
		v.group = g
		v.scope.Init(context.WithoutCancel(&g.scope), g.scope.Loop().Shielded())
	}
	return &v.scope
}

// errServed is the cause with which the services of a group are cancelled that
// has succeeded.
var errServed = errors.New("the group's other tasks have ended")

// stop cancels the services, with the group's own cause if it was cancelled.
func (v *services) stop() {
	if v.group.scope.Canceled() {
		v.scope.CancelLike(&v.group.scope)
	} else {
		v.scope.Cancel(errServed)
	}
}

func (v *services) Ended(t *core.Task, echo bool) {
	v.group.settle(t, echo)
	if v.n--; v.n == 0 {
		v.group.wait.WakeAll(core.WokenDone)
	}
}

func (v *services) close() {
	if v.group != nil {
		v.scope.Close()
	}
}
