package reactor

import "runtime/debug"

// A Local is a variable of which each loop has one of its own: a pool, a cache, a
// count that the tasks of a loop share without a lock. The Local itself is usually a
// variable of a package. The zero Local is ready to use; it must not be copied, and
// its fields must not be changed, once it was used.
type Local[T any] struct {
	_ noCopy

	// Init, if set, is called with a loop's new variable, whose value is T's zero.
	Init func(v *T)

	// End, if set, is called with a loop's variable when the loop ends, after its
	// tasks. It is called on the loop's thread and must not suspend. A panic in it is
	// reported, as one of a callback.
	End func(v *T)
}

// On returns the variable of a loop, which it makes at the first call. It must be
// called by a task or a callback of the loop, and panics elsewhere. It costs a look
// into a map, and memory for each Local that a loop has used.
func (v *Local[T]) On(l *Loop) *T {
	l.onLoop("Local.On")
	if own, ok := l.locals.byKey[v]; ok {
		return own.(*T)
	}
	own := new(T)
	if v.Init != nil {
		v.Init(own)
	}
	end := func() {}
	if v.End != nil {
		end = func() { v.End(own) }
	}
	l.locals.add(v, own, end)
	return own
}

// locals are a loop's variables. Invariant: each in byKey, which has a *Local's
// variable as a *T, has an end.
type locals struct {
	byKey map[any]any
	ends  []func() // in the order in which the variables were made
}

func (ls *locals) add(key, own any, end func()) {
	if ls.byKey == nil {
		ls.byKey = make(map[any]any)
	}
	ls.byKey[key] = own
	ls.ends = append(ls.ends, end)
}

// endLocals ends the loop's variables, the last one first, as deferred calls are:
// one may use another that was there before it.
func (l *Loop) endLocals() {
	for len(l.locals.ends) > 0 {
		last := len(l.locals.ends) - 1
		end := l.locals.ends[last]
		l.locals.ends = l.locals.ends[:last]
		l.endLocal(end)
	}
	l.locals.byKey = nil
}

func (l *Loop) endLocal(end func()) {
	defer func() {
		if r := recover(); r != nil {
			l.tell(Report{What: "a callback panicked", Err: &PanicError{"the End of a Local", r, debug.Stack()}})
		}
	}()
	end()
}
