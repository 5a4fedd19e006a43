package core

import "runtime"

// A failure is the error of a task that has not been claimed but still may be.
// It is kept with the task's maker, and reported when the maker ends. A maker
// that runs for long, such as a server's main function, may have dropped the
// task long before: then the failure is reported once the garbage collector
// finds the task unreachable. So no report comes too early, and the garbage
// collector can only make a report come before the maker's end.
//
// Invariant: while a failure is in its maker's list, its task refers to it. It
// does not refer to the task, so it does not keep it alive.
type failure struct {
	maker      *Task
	next, prev *failure
	task       string
	err        error
	cleanup    runtime.Cleanup
}

// keep records that t has failed, and that maker may claim its error.
func (l *Loop) keep(t, maker *Task) {
	f := &failure{maker: maker, task: t.String(), err: t.Failure()}
	e := maker.scope.more()
	if e.unclaimed == nil {
		e.unclaimed, f.next, f.prev = f, f, f
	} else {
		first, last := e.unclaimed, e.unclaimed.prev
		f.next, f.prev = first, last
		last.next, first.prev = f, f
	}
	t.scope.more().failure = f
	if l.sim == nil { // in a simulation the garbage collector must not decide anything
		f.cleanup = runtime.AddCleanup(t, func(f *failure) { l.Post(f.forgotten) }, f)
	}
}

// unlink removes f from its maker's list, and reports whether it was there.
func (f *failure) unlink() bool {
	if f.next == nil {
		return false
	}
	e := f.maker.scope.more()
	if f.next == f {
		e.unclaimed = nil
	} else {
		f.prev.next, f.next.prev = f.next, f.prev
		if e.unclaimed == f {
			e.unclaimed = f.next
		}
	}
	f.next, f.prev = nil, nil
	f.cleanup.Stop()
	return true
}

// forgotten reports f, whose task is unreachable.
func (f *failure) forgotten() {
	if f.unlink() {
		f.maker.scope.loop.tellUnclaimed(f.task, f.err)
	}
}

// Claim records that t's result was claimed.
func (t *Task) Claim() {
	t.claimed = true
	if t.err == nil {
		return
	}
	if e := t.scope.extra.Load(); e != nil && e.failure != nil {
		e.failure.unlink()
		e.failure = nil
	}
}

// orphan reports the failures of tasks that t has made and can no longer claim.
func (t *Task) orphan() {
	if e := t.scope.extra.Load(); e != nil {
		for e.unclaimed != nil {
			e.unclaimed.forgotten()
		}
	}
}
