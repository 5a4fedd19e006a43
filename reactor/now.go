package reactor

import (
	"context"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// A Clock tells a loop the time. It is a seam: tests put a clock of their own
// behind it (see [Options]).
type Clock interface {
	// Now returns the time since some fixed moment. It never goes backwards.
	Now() time.Duration
}

// Now returns the time of day: the system's, as time.Now does, unless ctx's loop
// has another [Clock]. A program that asks Now, and not time.Now, runs in
// virtual time as it does in real time. It may be called from anywhere, if the
// Clock may; it costs a look at the clock, about 50 ns.
//
// In a simulation in which the time of day jumps (reactortest's Host.SetClock), the
// Sub, Before and After of two readings see the jump. Those of time.Now don't,
// for they have a reading of the monotonic clock within, which nobody but package
// time can give them. Use [Since] and [Until] for what must not see it.
func Now(ctx context.Context) time.Time {
	s := core.Nearest(ctx)
	if s == nil {
		return time.Now()
	}
	return s.Loop().Today(ctx)
}

// Since returns the time that has passed since t, which [Now] returned under a ctx of
// the same host, or which was reckoned from such a time: what time.Since(t) is in
// real time. A jump of the time of day in between is not in it. (A simulation takes
// a time in UTC of the program's own making for one that was read before the first
// jump.) It may be called where Now may.
func Since(ctx context.Context, t time.Time) time.Duration {
	s := core.Nearest(ctx)
	if s == nil {
		return time.Since(t)
	}
	return s.Loop().Since(t, ctx)
}

// Until returns the time that is left until t, as [Since] does the time after it.
func Until(ctx context.Context, t time.Time) time.Duration { return -Since(ctx, t) }
