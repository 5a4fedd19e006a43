package reactor

import (
	"context"
	"time"
)

// A Clock tells a loop the time. It is a seam: tests put a clock of their own
// behind it (see [Options]).
type Clock interface {
	// Now returns the time since some fixed moment. It never goes backwards.
	Now() time.Duration
}

// monotonic reads the system's monotonic clock, about 30 ns.
type monotonic struct{ base time.Time }

func (m monotonic) Now() time.Duration { return time.Since(m.base) }

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
	s := nearest(ctx)
	if s == nil {
		return time.Now()
	}
	l := s.loop
	if _, real := l.clock.(monotonic); real {
		return time.Now()
	}
	return l.wallOf(l.now(), ctx)
}

// Since returns the time that has passed since t, which [Now] returned under a ctx of
// the same host, or which was reckoned from such a time: what time.Since(t) is in
// real time. A jump of the time of day in between is not in it. (A simulation takes
// a time in UTC of the program's own making for one that was read before the first
// jump.) It may be called where Now may.
func Since(ctx context.Context, t time.Time) time.Duration {
	s := nearest(ctx)
	if s == nil {
		return time.Since(t)
	}
	l := s.loop
	if l.sim != nil {
		return l.sim.hostOf(ctx).Since(t)
	}
	return Now(ctx).Sub(t)
}

// Until returns the time that is left until t, as [Since] does the time after it.
func Until(ctx context.Context, t time.Time) time.Duration { return -Since(ctx, t) }

// now returns the loop's time in the wheel's unit, nanoseconds.
func (l *loop) now() int64 { return int64(l.clock.Now()) }

// after returns the time d from now, or the end of time when that lies beyond it.
func (l *loop) after(d time.Duration) int64 {
	now := l.now()
	if d > maxTime-time.Duration(now) {
		return int64(maxTime)
	}
	return now + int64(d)
}

const maxTime = time.Duration(1<<63 - 1)
