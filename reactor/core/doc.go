// Package core answers: who runs next, and what is everybody else waiting for? It is
// the loop beneath package reactor, for those who write primitives, or types of sockets,
// on it: a lock, a queue, a group. Programs use package reactor.
//
// The core knows no primitive. It has [Loop]s, whose turns ask the kernel, other
// goroutines and the timers, and run what is ready then; [Worker]s, the coroutines on
// which tasks run; the records of tasks, and of the callbacks between them; and the tree
// of [Scope]s, which are the contexts of tasks and bound how long they wait. The files
// are named after these words; loop.go, turn.go, worker.go, park.go and task.go are its
// heart, in this order.
//
// # To wait
//
// An operation that may suspend begins with [Await], or, if it is a method of something
// that tasks share, with that thing's [Home]: it learns which task calls, and which scope
// bounds the wait. The task then waits in a list:
//
//	func (e *Event) Wait(ctx context.Context) error {
//		w, s, err := e.home.Await(ctx, "Event.Wait")
//		if err != nil || e.set {
//			return err
//		}
//		return e.waiters.Wait(w, s, waitingFor("an event"))
//	}
//
// and whoever has what it waits for takes it out:
//
//	func (e *Event) Set() {
//		e.home.OnLoop("Event.Set")
//		e.set = true
//		e.waiters.WakeAll(core.WokenDone)
//	}
//
// A task waits in one [WaitList] at a time, and is woken once: through the list, by
// its timer, or because its scope is done. [Worker.Park] is what Wait is made of, and
// [Worker.Yield] lets others run. A [Hook] stands in a list in place of a task.
//
// # To make tasks
//
// [Task.Init] makes a task under a ctx, whose end its [Keeper] learns, and [Loop.Push]
// queues the [Job] that runs it: [Task.RunsOn], then the function, with [Task.Leave]
// deferred, then [Task.Returned]. A piece of code that is to be cancelled by itself is
// a [Region] with a scope of its own, see [Worker.Enter].
//
// # Outside
//
// [Loop.Post] is the way in for other goroutines, [Loop.Outside] and [Loop.Threads]
// count those that may come, and [Loop.AtEnd] is for what has to be freed. An [FD] is a
// descriptor that tasks wait for. What users name, errors and reports, the core asks
// its [Facade] for.
package core
