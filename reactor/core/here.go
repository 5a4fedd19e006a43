package core

import (
	"context"

	"github.com/eddyio/eddy/sockets"
)

// This file is for types whose methods take no ctx, as a net.Conn's do not, and
// which yet have to know who calls. They keep a ctx of their loop and ask with
// it; which one, of which task, does not matter.

// OnLoop reports whether the caller is the running task, or a callback, of ctx's
// loop. It may be called from anywhere, and costs a few nanoseconds.
func OnLoop(ctx context.Context) bool {
	s := Nearest(ctx)
	return s != nil && s.loop.OnThread()
}

// Here returns the ctx of the innermost scope that the running task of ctx's
// loop is in: the task's own, a Timeout's or a Group's. What waits under it
// obeys whatever bounds the caller, as the methods of connections do. It is nil
// if the caller is not a task of the loop, and may be called from anywhere.
func Here(ctx context.Context) context.Context {
	if !InTask(ctx) {
		return nil
	}
	return Nearest(ctx).loop.cur.scope
}

// InTask reports whether the caller is the running task of ctx's loop, and so may
// suspend. It may be called from anywhere, with any ctx.
func InTask(ctx context.Context) bool {
	s := Nearest(ctx)
	return s != nil && s.loop.InTask()
}

// Sockets returns the socket calls of ctx's loop (see reactor.Options), or the
// system's own if ctx belongs to no loop.
func Sockets(ctx context.Context) sockets.Calls {
	if s := Nearest(ctx); s != nil {
		return s.loop.socketsOf(ctx)
	}
	return sockets.System{}
}
