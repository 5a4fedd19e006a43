package core

import "runtime"

// A failure is the error of a task that nobody has asked for, while somebody still
// may: it is kept with the task's maker, and reported when that ends. A maker that
// never ends, as a server's main does not, may have dropped the task long before: then
// the failure is reported once the garbage collector has found that nobody can ask.
// So no report is early, and none depends on the garbage collector but to come
// sooner than at the maker's end.
//
// Invariant: a failure stands in its maker's list, and then its task has it. It does
// not refer to the task, nor keep it alive.
type failure struct {
	maker      *Task
	next, prev *failure
	task       string
	err        error
	cleanup    runtime.Cleanup
}

// keep notes that t has failed, and that maker may ask for its error.
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
	if l.sim == nil { // there the garbage collector must not decide anything
		f.cleanup = runtime.AddCleanup(t, func(f *failure) { l.Post(f.forgotten) }, f)
	}
}

// unlink takes f out of its maker's list. It reports whether it was there.
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

// forgotten reports f: nobody refers to its task.
func (f *failure) forgotten() {
	if f.unlink() {
		f.maker.scope.loop.tellUnclaimed(f.task, f.err)
	}
}

// Claim notes that somebody gets t's result.
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

// orphan reports the failures of the tasks that t has made, and can't ask for any
// more.
func (t *Task) orphan() {
	if e := t.scope.extra.Load(); e != nil {
		for e.unclaimed != nil {
			e.unclaimed.forgotten()
		}
	}
}
