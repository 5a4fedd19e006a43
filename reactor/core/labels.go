package core

import (
	"context"
	"runtime/pprof"
	"unsafe"
)

// A goroutine's pprof labels are inherited by those that it starts, as by what it
// gives to ToThread and by a generator that it is the first to drive. But a worker
// is a goroutine that many tasks and callbacks run on, one after the other: each
// begins with the labels of its own ctx, and a callback, which has none, without.

// GoroutineLabels returns the labels of the calling goroutine, or nil. It costs a
// nanosecond, so that what need not be set is not. (Package pprof can't be asked; its
// own way is promised to stay, see go.dev/issue/67401.)
//
//go:linkname GoroutineLabels runtime/pprof.runtime_getProfLabel
func GoroutineLabels() unsafe.Pointer

// SetGoroutineLabels makes those that GoroutineLabels has returned the labels of the
// calling goroutine.
//
//go:linkname SetGoroutineLabels runtime/pprof.runtime_setProfLabel
func SetGoroutineLabels(labels unsafe.Pointer)

// relabel gives the worker's goroutine the labels of the job that it is to run.
func (w *Worker) relabel() {
	ctx := context.Background()
	if w.loop.labelled.Load() {
		switch j := w.job.(type) {
		case TaskJob:
			ctx = j.Record().Scope()
		case *Dormant:
			ctx = j.up
		}
	}
	pprof.SetGoroutineLabels(ctx)
}

// labelKey is the key under which a context has labels. Contexts below a scope's
// can't have any unless it was asked for: to make one asks for what there is.
var labelKey = func() (key any) {
	pprof.ForLabels(keyProbe{context.Background(), &key}, func(string, string) bool { return true })
	return key
}()

// keyProbe is a context that notes which key it is asked for.
type keyProbe struct {
	context.Context
	key *any
}

func (p keyProbe) Value(key any) any {
	*p.key = key
	return nil
}

// NoteLabels notes that a context which the loop was given may have labels.
func (l *Loop) NoteLabels(ctx context.Context) {
	if ctx.Value(labelKey) != nil {
		l.labelled.Store(true)
	}
}
