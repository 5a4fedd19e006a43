package core

import (
	"context"
	"runtime/pprof"
	"unsafe"
)

// A goroutine's pprof labels are inherited by those that it starts, as in
// ToThread and when it first drives a generator. But many tasks and callbacks
// run on a worker's goroutine, one after the other: each task begins with the
// labels of its own ctx, and a callback, which has no ctx, without labels.

// GoroutineLabels returns the labels of the calling goroutine, or nil. It costs
// a nanosecond, and lets callers skip setting labels that are set already.
// (Package pprof has no such function; the linkname is promised to stay, see
// go.dev/issue/67401.)
//
//go:linkname GoroutineLabels runtime/pprof.runtime_getProfLabel
func GoroutineLabels() unsafe.Pointer

// SetGoroutineLabels sets the labels of the calling goroutine to a result of
// GoroutineLabels.
//
//go:linkname SetGoroutineLabels runtime/pprof.runtime_setProfLabel
func SetGoroutineLabels(labels unsafe.Pointer)

// relabel sets the labels of the worker's goroutine to those of its next job.
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

// labelKey is the key of a context's labels. A context derived from a scope
// can't have labels unless this key was looked up in the scope: pprof looks up
// the present labels when it makes one.
var labelKey = func() (key any) {
	pprof.ForLabels(keyProbe{context.Background(), &key}, func(string, string) bool { return true })
	return key
}()

// keyProbe is a context that records the key that is looked up in it.
type keyProbe struct {
	context.Context
	key *any
}

func (p keyProbe) Value(key any) any {
	*p.key = key
	return nil
}

// NoteLabels records that a context passed to the loop may have labels.
func (l *Loop) NoteLabels(ctx context.Context) {
	if ctx.Value(labelKey) != nil {
		l.labelled.Store(true)
	}
}
