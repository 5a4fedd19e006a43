package reactor

import "sync/atomic"

// Hold keeps the loop from reporting a deadlock until release is called: a
// goroutine that the loop can't see, a library's callback or one started by a go
// statement, will wake one of its tasks by [Loop.Post]. Call it before that
// goroutine starts, and release after its last Post:
//
//	release := reactor.LoopOf(ctx).Hold()
//	go func() {
//		defer release()
//		v := compute()
//		loop.Post(func() { answer.SetResult(v) })
//	}()
//
// A loop that is held still ends when main returns. ToThread, Receive, a
// submitted task and whatever waits for a file descriptor, a timer or a signal
// count by themselves and need no Hold. Any number may be in force. Hold and
// release may be called from any goroutine; calling release again does nothing.
// (Boost.Asio's executor_work_guard.)
func (l *Loop) Hold() (release func()) {
	l.holds.Add(1)
	var released atomic.Bool
	return func() {
		if !released.Swap(true) && l.holds.Add(-1) == 0 {
			l.post(func() {}) // it may have to notice a deadlock now
		}
	}
}
