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
// The ctx that a task's function receives says which task it is. A function
// that may suspend takes it as its first parameter and may be called only by
// the running task of that ctx's loop; called from elsewhere it panics with a
// sentence that says what to do. Any context derived from it will do: of the
// standard library's, [context.WithoutCancel], [context.WithValue] and
// [context.WithTimeout] work as they do everywhere.
//
// # Cancellation
//
// Cancellation is Go's: a context once done stays done, and every await under
// it returns its error at once, and does nothing: also one that need not wait,
// for a value that is there or a lock that is free. What takes no ctx, as a task's
// or a future's Result and a queue's TryGet, does not ask. A parked task is woken exactly once, by what
// it waits for or by its cancellation, never by both. Cleanup that has to
// wait uses [context.WithoutCancel].
//
// # Order
//
// The ready queue is first in, first out. A turn of the loop looks at the
// kernel, then at what other goroutines posted, then at the timers, and then
// runs those that were ready when it began; what becomes ready meanwhile waits
// for the next turn. Given the same inputs the order is always the same.
//
// # Tests
//
// Package reactortest runs a loop in virtual time. A bubble of testing/synctest does
// not: [Run] in one returns [ErrBubble]. Goroutines in a bubble may use a loop
// outside by [Submit] and [Loop.Post], but no ctx of its tasks, nor what derives
// from one, whose end would reach into the bubble, which Go forbids.
//
// # What it leaves to others
//
// Who runs next is decided in package reactor/core, which is also for authors of
// primitives and of socket types. Which fds are ready is package eddy's business, which
// deadline comes next is timerwheel's, how control passes between coroutines is coro's.
// Sockets, and everything that a std net.Conn can do, are package net's.
package reactor
