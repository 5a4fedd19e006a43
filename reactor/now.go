package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Clock is a loop's source of time. Tests can replace it (see [Options]).
type Clock interface {
	// Now returns the time since some fixed moment. It never goes backwards.
	Now() time.Duration
}

// Now returns the time of day: the system's, as time.Now does, unless ctx's loop
// has another [Clock]. A program that uses Now instead of time.Now runs in
// virtual time as in real time. It may be called from anywhere, if the Clock
// may; it costs a reading of the clock, about 50 ns.
//
// In a simulation in which the time of day jumps (reactortest's Host.SetClock),
// the jump shows in Sub, Before and After of two results. That differs from
// time.Now, whose results contain a monotonic clock reading, which only package
// time can set. Use [Since] and [Until] where jumps must not show.
func Now(ctx context.Context) time.Time {
	s := core.Nearest(ctx)
	if s == nil {
		return time.Now()
	}
	return s.Loop().Today(ctx)
}

// Since returns the time elapsed since t, which must be a result of [Now] under
// a ctx of the same host, or computed from one. In real time it is
// time.Since(t). It does not include jumps of the time of day. (In a
// simulation, a UTC time that the program has made itself counts as read before
// the first jump.) It may be called where Now may.
func Since(ctx context.Context, t time.Time) time.Duration {
	s := core.Nearest(ctx)
	if s == nil {
		return time.Since(t)
	}
	return s.Loop().Since(t, ctx)
}

// Until returns the duration until t. Otherwise it is like [Since].
func Until(ctx context.Context, t time.Time) time.Duration { return -Since(ctx, t) }
