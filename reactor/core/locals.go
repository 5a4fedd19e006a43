package core

import "runtime/debug"

// Local returns the value that SetLocal stored under a key.
func (l *Loop) Local(key any) (v any, ok bool) {
	v, ok = l.locals[key]
	return v, ok
}

// SetLocal stores a package's value for the loop, until the loop has ended.
func (l *Loop) SetLocal(key, v any) {
	if l.locals == nil {
		l.locals = make(map[any]any)
	}
	l.locals[key] = v
}

// AtEnd makes the loop call f when it ends, after its tasks and callbacks, in
// reverse order like deferred calls. f must not suspend; a panic in it is
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
