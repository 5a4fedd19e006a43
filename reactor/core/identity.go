package core

import (
	"github.com/eddyio/eddy/coro"
)

// OnThread reports whether the caller is the code that the loop is running now:
// a task, a callback, or a coroutine that one of them drives by iter.Pull. It
// may be called on any goroutine.
//
// The read of l.running is not synchronized, and need not be: it equals the
// caller's identity only if the loop stored it for this goroutine, and the loop
// stores another one before this goroutine stops being the running one. So a
// goroutine that is not the running one can't read its own identity there,
// however stale or new the value is.
//
//go:norace
func (l *Loop) OnThread() bool {
	r := l.running
	return r == coro.Self() || r != 0 && threadID() == l.thread
}

// Caller returns the worker whose task is calling. It panics for any other
// caller, because going on would corrupt the loop.
func (l *Loop) Caller(op string) *Worker {
	if !l.OnThread() {
		panic("reactor: " + op + l.elsewhere())
	}
	if l.cur.task == nil {
		panic("reactor: " + op + " in a callback, which can't suspend: start a task with reactor.Go and call it there")
	}
	return l.cur
}

// OnLoop panics unless the caller is a task or a callback of the loop. It is
// OnThread inlined by hand, because each message makes several such calls.
//
//go:norace
func (l *Loop) OnLoop(op string) {
	if r := l.running; r != coro.Self() && (r == 0 || threadID() != l.thread) {
		l.noticed(op)
	}
}

// noticed panics for a caller that is not on the loop. It is a separate
// function so that it takes no stack of callers that are.
//
//go:noinline
func (l *Loop) noticed(op string) { panic("reactor: " + op + l.elsewhere()) }

// OnLoopOrOver is like OnLoop, for state that may also be read after the loop
// has ended.
func (l *Loop) OnLoopOrOver(op string) {
	if !l.OnThread() && !l.finished.Load() {
		l.noticed(op)
	}
}

func (l *Loop) elsewhere() string {
	if l.finished.Load() {
		return " on a loop that has ended: its Run has returned"
	}
	l.RefuseOutside("what belongs to the loop") // because the panic may be recovered
	return " from a goroutine that is not the running task of this ctx's loop: " +
		"use Loop.Post or Submit to reach the loop from elsewhere, and reactor.Go for what is to suspend"
}

// InTask reports whether the caller is the running task of the loop, and so may
// suspend. It may be called from anywhere.
func (l *Loop) InTask() bool { return l.OnThread() && l.cur.task != nil }
