package reactor

import "time"

// A Clock tells a loop the time. It is a seam: tests put a clock of their own
// behind it (see [Options]).
type Clock interface {
	// Now returns the time since some fixed moment. It never goes backwards.
	Now() time.Duration
}

// monotonic reads the system's monotonic clock, about 30 ns.
type monotonic struct{ base time.Time }

func (m monotonic) Now() time.Duration { return time.Since(m.base) }

// now returns the loop's time in the wheel's unit, nanoseconds.
func (l *Loop) now() int64 { return int64(l.clock.Now()) }

// after returns the time d from now, or the end of time when that lies beyond it.
func (l *Loop) after(d time.Duration) int64 {
	now := l.now()
	if d > maxTime-time.Duration(now) {
		return int64(maxTime)
	}
	return now + int64(d)
}

const maxTime = time.Duration(1<<63 - 1)

// An expirer is what a timer in the wheel belongs to.
type expirer interface{ expire() }
