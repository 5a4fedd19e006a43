package net

import (
	"context"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/sockets"
)

// apart is the ctx of a call that a goroutine makes itself, without its loop:
// it uses Go's own poller, and must not use what only tasks may. It is not
// handed to the user's functions; see callers. It hides all but the methods of
// a Context: a context derived from a task's ctx by its AfterFunc would be
// cancelled only when the loop has a turn.
type apart struct {
	context.Context // the caller's
	loop            *reactor.Loop
}

// loopApart returns the loop of a call that a goroutine makes itself, or nil if
// a task makes it.
func loopApart(ctx context.Context) *reactor.Loop {
	if a, ok := ctx.(apart); ok {
		return a.loop
	}
	return nil
}

// callers returns the ctx for the user's functions.
func callers(ctx context.Context) context.Context {
	if a, ok := ctx.(apart); ok {
		return a.Context
	}
	return ctx
}

// socketsFor returns the socket calls for ctx.
func socketsFor(ctx context.Context) sockets.Calls {
	if loopApart(ctx) != nil {
		return sockets.System{}
	}
	return core.Sockets(ctx)
}

// offLoop calls f, which may block: on another goroutine if a task makes the
// call.
func offLoop[T any](ctx context.Context, f func() (T, error)) (T, error) {
	if loopApart(ctx) == nil {
		return reactor.ToThread(ctx, func(context.Context) (T, error) { return f() })
	}
	v, err := f()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // not the resolver's text for it
	}
	return v, err
}
