package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// InTask reports whether the caller is the running task of the loop, and so may
// suspend. It may be called from anywhere.
func (l *Loop) InTask() bool { return l.core.InTask() }

// Within calls f in a scope of the running task that is also done when ctx is.
// ctx may be any context, even one that belongs to no loop. f's awaits under
// the ctx that it gets obey both; that ctx has the values of ctx, and then
// those of the task. Within is for types that know their loop but get a context
// from code that does not, such as a dialer. It must be called by tasks of the
// loop, and panics elsewhere; see [Loop.InTask]. It costs a few allocations.
func (l *Loop) Within(ctx context.Context, f func(ctx context.Context) error) error {
	if f == nil {
		panic("reactor: Loop.Within with a nil function")
	}
	w := l.core.Caller("Loop.Within")
	l.core.NoteLabels(ctx)
	return Scope(amid{w.Scope(), ctx}, func(inner context.Context, s *CancelScope) error {
		if ctx.Done() != nil {
			s.scope.Follow(ctx)
		}
		return f(inner)
	})
}

// amid is a task's ctx with the values of another one, and the earlier of their
// deadlines.
type amid struct {
	context.Context // the task's
	other           context.Context
}

func (a amid) Value(key any) any {
	if !core.IsScopeKey(key) {
		if v := a.other.Value(key); v != nil {
			return v
		}
	}
	return a.Context.Value(key)
}

func (a amid) Deadline() (time.Time, bool) {
	d, ok := a.Context.Deadline()
	if other, has := a.other.Deadline(); has && (!ok || other.Before(d)) {
		return other, true
	}
	return d, ok
}
