package reactor

// A Local is a variable that each loop has its own copy of: a pool, a cache, or
// a counter that the tasks of a loop share without a lock. The Local itself is
// usually a package variable. The zero Local is ready to use; after first use
// it must not be copied and its fields must not be changed.
type Local[T any] struct {
	_ noCopy

	// Init, if set, is called with a loop's new variable, whose value is T's zero.
	Init func(v *T)

	// End, if set, is called with a loop's variable when the loop ends, after its
	// tasks. It is called on the loop's thread and must not suspend. A panic in
	// it is reported like one of a callback.
	End func(v *T)
}

// On returns the variable of a loop, which it makes at the first call. It must be
// called by a task or a callback of the loop, and panics elsewhere. It costs a
// map lookup, and memory for each Local that a loop has used.
func (v *Local[T]) On(l *Loop) *T {
	l.core.OnLoop("Local.On")
	if own, ok := l.core.Local(v); ok {
		return own.(*T)
	}
	own := new(T)
	if v.Init != nil {
		v.Init(own)
	}
	l.core.SetLocal(v, own)
	if v.End != nil {
		l.core.AtEnd(func() { v.End(own) })
	}
	return own
}
