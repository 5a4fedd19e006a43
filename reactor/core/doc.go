// Package core answers: which task runs next, and what do the others wait for?
// It is the loop beneath package reactor, for authors of primitives (a lock, a
// queue, a group) and of socket types. Programs use package reactor.
//
// The core contains no primitives. It has [Loop]s, whose turns handle the
// kernel's events, other goroutines' messages and timers, and then run what is
// ready; [Worker]s, the coroutines on which tasks run; the records of tasks,
// and of the callbacks between them; and the tree of [Scope]s, which are the
// contexts of tasks and bound how long they wait. The files are named after
// these terms; start with loop.go, turn.go, worker.go, park.go and task.go, in
// this order.
//
// # Waiting
//
// An operation that may suspend begins with [Await], or, if it is a method of
// an object that tasks share, with the object's [Home]. That returns the
// calling task's worker and the scope that bounds the wait. The task then waits
// in a list:
//
//	func (e *Event) Wait(ctx context.Context) error {
//		w, s, err := e.home.Await(ctx, "Event.Wait")
//		if err != nil || e.set {
//			return err
//		}
//		return e.waiters.Wait(w, s, waitingFor("an event"))
//	}
//
// and the task or callback that makes the condition true wakes it:
//
//	func (e *Event) Set() {
//		e.home.OnLoop("Event.Set")
//		e.set = true
//		e.waiters.WakeAll(core.WokenDone)
//	}
//
// A task waits in one [WaitList] at a time, and is woken once: through the
// list, by its timer, or because its scope is done. Wait is built on
// [Worker.Park]; [Worker.Yield] lets others run. A [Hook] can be in a list in
// place of a task.
//
// # Making tasks
//
// [Task.Init] makes a task under a ctx, with a [Keeper] that is notified of its
// end, and [Loop.Push] queues the [Job] that runs it: [Task.RunsOn], then the
// function, with [Task.Leave] deferred, then [Task.Returned]. Code that can be
// cancelled separately is a [Region] with a scope of its own; see
// [Worker.Enter].
//
// # Outside
//
// Other goroutines use [Loop.Post]; [Loop.Outside] and [Loop.Threads] count
// those that may still post, and [Loop.AtEnd] registers cleanup. An [FD] is a
// descriptor that tasks wait for. The core gets errors and reports of types
// that users name from its [Facade].
package core
