package core

import (
	"context"
	"fmt"
	"runtime/debug"
)

// Wakeup says what woke a parked task.
type Wakeup uint8

// cutOff is the panic that ends a task which did not stop when the loop ended.
type cutOff struct{}

// IsCutOff reports whether v, which recover returned, is the panic that ends a task
// which did not stop when the loop ended. It must be passed on.
func IsCutOff(v any) bool {
	_, ok := v.(cutOff)
	return ok
}

// Park suspends the running task, which stands in the list or has set the
// timer that is to wake it, until that happens or s is done.
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

// parks notes that w's task is about to be suspended.
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

// Yield lets all others that are ready run.
func (w *Worker) Yield() {
	w.state = ready
	w.loop.ready.push(w)
	w.loop.suspend(w)
}

// refuse answers an await under a scope that is done: at once, but a task that
// goes on asking must let others run, and at the loop's end it is cut off.
func (w *Worker) refuse(s *Scope) error {
	if w.loop.cutting {
		w.Yield() // or one that recovers for ever would never be given up
		panic(cutOff{})
	}
	w.loop.step.ignored++
	if w.spins == 0 || w.ignorer != w.task.id { // the first since it last waited
		w.ignorer, w.ignored = w.task.id, 0
	}
	if w.ignored++; w.ignored == maxIgnored {
		w.loop.Report(Report{Kind: CancellationIgnored, What: "a task goes on and on although its ctx is done: each of its awaits returns this error at once, and it should return it too",
			Task: w.task.String(), Err: s.AwaitErr(), Stack: debug.Stack()})
	}
	w.insist()
	return s.AwaitErr()
}

// insist counts a task's attempts that fail without having to wait. One that
// goes on trying lets others run from time to time: it may be one of them that
// changes what it fails for.
func (w *Worker) insist() {
	if w.task == nil {
		return
	}
	if w.spins++; w.spins > 100 {
		w.spins = 1 // 0 is for one that has waited
		w.Yield()
	}
}

// Await is the first step of all that suspends: it returns the running worker
// and the scope that bounds the wait, or that scope's error. It panics when
// the caller is not the running task of ctx's loop.
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

// Caller returns the worker of the running task, which must be one of ctx's
// loop.
func Caller(ctx context.Context, op string) *Worker {
	s := Under(ctx, op)
	return s.loop.Caller(op)
}

// maxIgnored is how many awaits in a row may fail, because their ctx is done, before
// that is reported.
const maxIgnored = 100_000

// ioBudget is how many operations on sockets a task may do without suspending
// before it has to let others run. (tokio's figure is 128 too.)
const ioBudget = 128

// Loop returns the worker's loop.
func (w *Worker) Loop() *Loop { return w.loop }

// Task returns the task that the worker runs; nil in a callback.
func (w *Worker) Task() *Task { return w.task }

// Scope returns the innermost scope that the worker's task is in.
func (w *Worker) Scope() *Scope { return w.scope }

// Node returns what stands for the worker's task in the list that it waits in.
func (w *Worker) Node() *Waiter { return &w.node }

// WakeAt sets the worker's timer: it wakes the task, which is about to park, at a
// time of the loop's.
func (w *Worker) WakeAt(when int64) { w.loop.wheel.Add(&w.timer, when) }
