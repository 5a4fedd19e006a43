package reactor

import (
	"context"
	"errors"

	"github.com/eddyio/eddy/reactor/core"
)

// services are the tasks of a group that end last.
//
// Invariant: scope is out of the reach of any cancellation but stop's, and stop
// is called only when no other task of the group is left.
type services struct {
	group *TaskGroup // nil until there is one
	scope core.Scope
	n     int // tasks not ended
}

// GoService makes f a task of the group, as [TaskGroup.Go] does, that serves the
// others: it is cancelled only when all others, and the group's function, have
// ended, and Group then waits for it too. That holds however the group ends: at
// a failure, at [TaskGroup.Cancel], and when the ctx around it is done, the
// others are cancelled first, and their cleanup still finds the services at
// work. All services are cancelled together; for one that has to outlive
// another, use a group within the group.
//
// That a service is cancelled in the end is no failure of it; another error of
// it, at any time, is the group's. A service may return early. It does not count
// for SetLimit, and what it starts by [Go] under its ctx ends with the services.
//
// So a server's helpers, its log's writer or its pool of connections, outlive the
// handlers that use them, and the grace that these get.
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

// begin returns the scope of the services, made when there is a first one.
func (v *services) begin(g *TaskGroup) *core.Scope {
	g.scope.Loop().OnLoop("TaskGroup.GoService")
	if v.group == nil {
		v.group = g
		v.scope.Init(context.WithoutCancel(&g.scope), g.scope.Loop().Shielded())
	}
	return &v.scope
}

// errServed is why the services of a group are cancelled that has succeeded.
var errServed = errors.New("the group's other tasks have ended")

// stop cancels the services: for what the group was cancelled for, if it was.
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
