package core

import (
	"context"
)

// shadowOf returns a scope that is done when the foreign ctx is. It keeps the
// last one, because a task often waits many times under one ctx.
func (w *Worker) shadowOf(ctx context.Context) *Scope {
	if ctx.Done() == nil {
		return &w.loop.shielded
	}
	if s := w.shadow; s != nil && s.parent.Done() == ctx.Done() {
		if s.reason.Load() == nil && ctx.Err() != nil {
			s.cancel(s.loop.reasonOf(ctx)) // ctx is done, but its message to the loop has not arrived
		}
		return s
	}
	w.dropShadow()
	w.shadow = &Scope{w: w}
	w.shadow.Init(ctx, &w.loop.shielded)
	return w.shadow
}

func (w *Worker) dropShadow() {
	if w.shadow != nil {
		w.shadow.unlink()
		w.shadow = nil
	}
}
