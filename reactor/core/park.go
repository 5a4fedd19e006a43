package core

import (
	"context"
	"fmt"
	"runtime/debug"
)

// A Wakeup is the reason why a parked task was woken.
type Wakeup uint8

// cutOff is the panic value that ends a task that did not stop when the loop
// ended.
type cutOff struct{}

// IsCutOff reports whether v, which recover returned, is the panic that ends a
// task that did not stop when the loop ended. Such a panic must be continued.
func IsCutOff(v any) bool {
	_, ok := v.(cutOff)
	return ok
}

// Park suspends the running task until it is woken by the list that it is in,
// by its timer, or because s is done.
func (w *Worker) Park(s *Scope, what fmt.Stringer) Wakeup {
	w.parks(s, what)
	if w.loop.cutting {
		w.Wake(wokenCut)
	} else if s.reason.Load() != nil {
		w.Wake(WokenCanceled)
	}
	w.loop.suspend(w)
	if w.woken == wokenCut {
		panic(cutOff{})
	}
	return w.woken
}

// parks records that w's task is about to be suspended.
func (w *Worker) parks(s *Scope, what fmt.Stringer) {
	w.state, w.where, w.what = parked, s, what
	w.since, w.spins = w.loop.turnAt, 0
	if s.w != w {
		s.more().guests.add(w)
	}
}

// Wake readies a parked task. It reports whether it did: a task is woken once.
func (w *Worker) Wake(why Wakeup) bool {
	if w.state != parked {
		return false
	}
	w.state, w.woken, w.where = ready, why, nil
	if r := w.loop.rec; r != nil {
		r.woke(w.task, why)
	}
	if w.node.list != nil {
		w.node.list.remove(&w.node)
	}
	if w.guestOf != nil {
		w.guestOf.remove(w)
	}
	if w.timer.Active() {
		w.loop.wheel.Cancel(&w.timer)
	}
	w.loop.ready.push(w)
	return true
}

// Expire wakes a task whose own timer is due.
func (w *Worker) Expire() { w.Wake(WokenTimer) }

// Yield lets all other ready tasks and callbacks run.
func (w *Worker) Yield() {
	w.state = ready
	w.loop.ready.push(w)
	w.loop.suspend(w)
}

// refuse returns the error of an await under a scope that is done. It does so
// at once, but a task that keeps awaiting must let others run, and is cut off
// at the loop's end.
func (w *Worker) refuse(s *Scope) error {
	if w.loop.cutting {
		w.Yield() // otherwise a task that always recovers would never be given up
		panic(cutOff{})
	}
	w.loop.step.ignored++
	if w.spins == 0 || w.ignorer != w.task.id { // the first since the task last waited
		w.ignorer, w.ignored = w.task.id, 0
	}
	if w.ignored++; w.ignored == maxIgnored {
		w.loop.Report(Report{Kind: CancellationIgnored, What: "a task goes on and on although its ctx is done: each of its awaits returns this error at once, and it should return it too",
			Task: w.task.String(), Err: s.AwaitErr(), Stack: debug.Stack()})
	}
	w.insist()
	return s.AwaitErr()
}

// insist counts a task's attempts that fail without waiting. A task that keeps
// trying yields from time to time, because another task may have to change the
// condition that it fails for.
func (w *Worker) insist() {
	if w.task == nil {
		return
	}
	if w.spins++; w.spins > 100 {
		w.spins = 1 // 0 means that the task has waited
		w.Yield()
	}
}

// Await is the first step of every operation that may suspend: it returns the
// running worker and the scope that bounds the wait, or that scope's error. It
// panics if the caller is not the running task of ctx's loop.
func Await(ctx context.Context, op string) (*Worker, *Scope, error) {
	s, ok := ctx.(*Scope)
	if !ok {
		s = Nearest(ctx)
		if s == nil {
			panic("reactor: " + op + " outside a task: pass the ctx that a task's function receives (see reactor.Run)")
		}
	}
	w := s.loop.Caller(op)
	if !ok && !s.governs(ctx) {
		s = w.shadowOf(ctx)
	}
	if s.reason.Load() != nil || w.loop.cutting {
		return w, s, w.refuse(s)
	}
	return w, s, nil
}

// Caller returns the worker of the running task, which must belong to ctx's
// loop.
func Caller(ctx context.Context, op string) *Worker {
	s := Under(ctx, op)
	return s.loop.Caller(op)
}

// maxIgnored is how many awaits in a row may fail because their ctx is done
// before that is reported.
const maxIgnored = 100_000

// ioBudget is how many socket operations a task may do without suspending
// before it must let others run. (tokio also uses 128.)
const ioBudget = 128

// Loop returns the worker's loop.
func (w *Worker) Loop() *Loop { return w.loop }

// Task returns the task that the worker runs; nil in a callback.
func (w *Worker) Task() *Task { return w.task }

// Scope returns the innermost scope that the worker's task is in.
func (w *Worker) Scope() *Scope { return w.scope }

// Node returns the waiter of the worker's task.
func (w *Worker) Node() *Waiter { return &w.node }

// WakeAt sets the worker's timer, which wakes the task, which is about to park,
// at a loop time.
func (w *Worker) WakeAt(when int64) { w.loop.wheel.Add(&w.timer, when) }
