package core

import (
	"context"
	"time"
)

// A Clock is a loop's source of time.
type Clock interface {
	// Now returns the time since some fixed moment. It never goes backwards.
	Now() time.Duration
}

// monotonic reads the system's monotonic clock, about 30 ns.
type monotonic struct{ base time.Time }

func (m monotonic) Now() time.Duration { return time.Since(m.base) }

// Today returns the time of day for code of the loop under ctx.
func (l *Loop) Today(ctx context.Context) time.Time {
	if _, real := l.clock.(monotonic); real {
		return time.Now()
	}
	return l.WallOf(l.Now(), ctx)
}

// Since returns the time elapsed since t, which Today returned under a ctx of
// the same host. It does not include jumps of the time of day.
func (l *Loop) Since(t time.Time, ctx context.Context) time.Duration {
	if l.sim != nil {
		return l.sim.hostOf(ctx).Since(t)
	}
	return l.Today(ctx).Sub(t)
}

// Now returns the loop's time in the wheel's unit, nanoseconds.
func (l *Loop) Now() int64 { return int64(l.clock.Now()) }

// After returns the time d from now, at most the end of time.
func (l *Loop) After(d time.Duration) int64 {
	now := l.clock.Now()
	if d > MaxTime-now {
		return int64(MaxTime)
	}
	return int64(now + d)
}

// MaxTime is the end of time.
const MaxTime = time.Duration(1<<63 - 1)

// timeOf returns the loop time of a wall-clock time.
func (l *Loop) timeOf(t time.Time) int64 {
	d := t.Sub(l.wall)
	if d > MaxTime-time.Duration(l.wallAt) {
		return int64(MaxTime)
	}
	return l.wallAt + int64(d)
}
