// Package reactor answers: what can a task await? It is asyncio's model on Go's terms:
// an event loop on one thread, tasks that suspend instead of blocking, and scopes that
// bound how long they wait.
//
//	err := reactor.Run(context.Background(), func(ctx context.Context) error {
//		bob := reactor.Go(ctx, sayBob)
//		welch := reactor.Go(ctx, sayWelch)
//		return errors.Join(bob.Wait(ctx), welch.Wait(ctx))
//	})
//
// # Coroutines
//
// A coroutine function is any func(ctx context.Context) error, or one that
// returns a value too. Awaiting it is a plain call, in the same task. [Go] and
// [Async] make a task of it, which runs beside its maker. Nothing else runs
// between two suspensions of a task, so tasks of one loop share data without
// locks.
//
// # The ctx
//
// The ctx that a task's function receives identifies the task. A function that
// may suspend takes it as its first parameter and may be called only by the
// running task of that ctx's loop; elsewhere it panics with a message that
// explains what to do. Any context derived from it works too:
// [context.WithoutCancel], [context.WithValue] and [context.WithTimeout] behave
// as usual.
//
// # Cancellation
//
// Cancellation is Go's: a context that is done stays done, and every await
// under it returns its error at once and does nothing, even if it need not wait
// because a value is there or a lock is free. Methods without a ctx, such as a
// task's or a future's Result and a queue's TryGet, do not check it. A parked
// task is woken exactly once, by what it waits for or by its cancellation,
// never by both. Cleanup that has to wait uses [context.WithoutCancel].
//
// # Order
//
// The ready queue is first in, first out. A turn of the loop handles the
// kernel's events, then functions posted by other goroutines, then timers. Then
// it runs the tasks and callbacks that are ready; those that become ready
// meanwhile wait for the next turn. Given the same inputs the order is always
// the same.
//
// # Tests
//
// Package reactortest runs a loop in virtual time. testing/synctest can't:
// [Run] in a bubble returns [ErrBubble]. Goroutines in a bubble may use a loop
// outside it by [Submit] and [Loop.Post]. They must not use the ctx of its
// tasks, or one derived from it: its cancellation would reach into the bubble,
// which Go forbids.
//
// # What it leaves to others
//
// Package reactor/core schedules tasks; it is also for authors of primitives
// and of socket types. Package eddy reports which fds are ready, timerwheel
// which deadline comes next, and coro passes control between coroutines.
// Package net has sockets, with all that a std net.Conn can do.
package reactor
