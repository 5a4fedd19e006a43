package poll

import "time"

// In a testing/synctest bubble the clock is not the system's, which the loop
// uses. So a deadline set by a goroutine off the loop counts relative to now,
// as in std.

// askedAt returns the time of the caller's clock, for a deadline that it sets.
func askedAt(deadline time.Time) time.Time {
	if deadline.IsZero() {
		return deadline
	}
	return time.Now()
}

// Rebased converts the deadline t, which a goroutine set when its clock showed
// asked, to the loop's clock. It must be called on the loop.
func Rebased(t, asked time.Time) time.Time {
	const apart = time.Hour // a bubble's clock begins with the year 2000
	if asked.IsZero() || time.Since(asked.Round(0)).Abs() < apart {
		return t
	}
	return time.Now().Add(t.Sub(asked))
}
