package core

import (
	"cmp"
	"context"
	"reflect"
	"runtime/pprof"
	"runtime/trace"
)

// Go's own tools see goroutines, and not which task runs on one. Two annotations
// tell them. While the runtime's trace is on, a task is a task of the trace, and
// each of its waits a region, which begins and ends on the goroutine that waits.
// With task labels, a profile's samples have the name of their task. Both belong
// to a task's ctx, as those of runtime/trace and pprof do, and descend with it.

// annotations say which annotations a loop's tasks get.
type annotations struct {
	annotates  bool // tasks that begin are annotated: traced || taskLabels
	taskLabels bool
	traced     bool   // the runtime's trace was on when the last turn began
	traces     uint32 // how often it has gone on
}

// notes are the values of a task's scope, as a context, that annotate it.
type notes struct {
	labels any         // under labelKey
	task   *trace.Task // under traceKey
	trace  uint32      // the trace to which that belongs
}

// traceKey is the key of a context's task of the trace.
var traceKey = func() (key any) {
	trace.Log(keyProbe{context.Background(), &key}, "", "")
	return key
}()

// note returns the value of a note, or nil.
func (e *extra) note(key any) any {
	n := e.notes.Load()
	switch {
	case n == nil:
	case key == labelKey:
		return n.labels
	case key == traceKey && n.task != nil:
		return n.task
	}
	return nil
}

// setTraced is called when the runtime's trace has gone on or off.
func (l *Loop) setTraced(on bool) {
	l.traced, l.annotates = on, on || l.taskLabels
	if on {
		l.traces++
	}
}

// annotate is called when t begins to run, on its goroutine.
func (t *Task) annotate() {
	if t.scope.loop.taskLabels {
		t.label()
	}
	if t.scope.loop.traced {
		t.trace()
	}
}

// renamed is called when t was given a name.
func (t *Task) renamed() {
	l := t.scope.loop
	if l.cur.task != t || l.cur.state != running {
		return
	}
	if l.taskLabels {
		t.label()
	}
	if l.traced {
		trace.Log(&t.scope, "name", t.Name().group())
	}
}

// label adds the task's label to those of its ctx and its goroutine.
func (t *Task) label() {
	n := t.notes()
	n.labels = pprof.WithLabels(t.scope.parent, pprof.Labels("task", t.Name().group())).Value(labelKey)
	t.scope.extra.Load().notes.Store(&n)
	pprof.SetGoroutineLabels(&t.scope)
}

// notes returns a copy of the task's notes.
func (t *Task) notes() (n notes) {
	if old := t.scope.more().notes.Load(); old != nil {
		n = *old
	}
	return n
}

// trace makes t a task of the runtime's trace, unless it is.
func (t *Task) trace() {
	n := t.notes()
	if n.task != nil && n.trace == t.scope.loop.traces {
		return
	}
	_, n.task = trace.NewTask(t.scope.parent, t.Name().group())
	n.trace = t.scope.loop.traces
	t.scope.extra.Load().notes.Store(&n)
}

// endTrace ends the trace's task.
func (t *Task) endTrace() {
	if e := t.scope.extra.Load(); e != nil {
		if n := e.notes.Load(); n != nil && n.task != nil {
			n.task.End()
		}
	}
}

// beginRegion begins the region of the wait for which w, on whose goroutine it
// is called, is about to be suspended.
func (w *Worker) beginRegion() {
	if w.state == parked {
		w.task.trace()
		w.region = trace.StartRegion(&w.task.scope, w.waitSort())
	}
}

func (w *Worker) endRegion() {
	w.region.End()
	w.region = nil
}

// waitSort returns what all waits like that of the parked w have in common.
func (w *Worker) waitSort() string {
	switch x := w.what.(type) {
	case *FD:
		switch w.node.list {
		case &x.read.waiters:
			return "read"
		case &x.queue:
			return "other tasks' writes"
		}
		return "write"
	case *Task:
		return "a task"
	}
	if v := reflect.ValueOf(w.what); v.Kind() == reflect.String {
		return v.String()
	}
	return sortOf(w.what)
}

// group returns a name that many tasks may have: the one that was given, or else
// that of the function.
func (n TaskName) group() string {
	if n.given != nil {
		return *n.given
	}
	return cmp.Or(n.Function(), n.Called(), "task")
}
