package core

import "runtime/debug"

// Local returns what setLocal has stored under a key.
func (l *Loop) Local(key any) (v any, ok bool) {
	v, ok = l.locals[key]
	return v, ok
}

// SetLocal stores, until the loop has ended, what a package keeps for the loop.
func (l *Loop) SetLocal(key, v any) {
	if l.locals == nil {
		l.locals = make(map[any]any)
	}
	l.locals[key] = v
}

// AtEnd makes the loop call f when it ends, after its tasks and callbacks: the last
// function first, as deferred calls are. f must not suspend; a panic in it is
// reported.
func (l *Loop) AtEnd(f func()) { l.closers = append(l.closers, f) }

func (l *Loop) runClosers() {
	last := len(l.closers) - 1
	if last < 0 {
		l.locals = nil
		return
	}
	f := l.closers[last]
	l.closers = l.closers[:last]
	defer l.runClosers() // also if f calls runtime.Goexit
	l.runCloser(f)
}

func (l *Loop) runCloser(f func()) {
	defer func() {
		if r := recover(); r != nil {
			l.Report(Report{Kind: CallbackPanicked, What: "a callback panicked", Err: l.facade.Panicked("a function at the loop's end", r, debug.Stack())})
		}
	}()
	f()
}
