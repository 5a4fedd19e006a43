package core

import (
	"context"

	"github.com/eddyio/eddy/sockets"
)

// This file is for types whose methods take no ctx, like a net.Conn's, but need
// the calling task. They keep any ctx of their loop and pass it to these
// functions.

// OnLoop reports whether the caller is the running task, or a callback, of ctx's
// loop. It may be called from anywhere, and costs a few nanoseconds.
func OnLoop(ctx context.Context) bool {
	s := Nearest(ctx)
	return s != nil && s.loop.OnThread()
}

// Here returns the ctx of the innermost scope of the running task of ctx's
// loop: the task's own, a Timeout's or a Group's. A wait under it obeys
// everything that bounds the caller, like the methods of connections. It
// returns nil if the caller is not a task of the loop, and may be called from
// anywhere.
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
