package net

import "time"

// In a bubble of testing/synctest the clock is not the system's, by which the loop
// goes. So what a goroutine off the loop asks for is taken for the time from now
// on, as std does.

// rebased returns the deadline t, which was set at the time asked by the clock of the
// one who did, by the clock of the loop, on which it is called.
func rebased(t, asked time.Time) time.Time {
	const apart = time.Hour // a bubble's clock begins with the year 2000
	if asked.IsZero() || time.Since(asked.Round(0)).Abs() < apart {
		return t
	}
	return time.Now().Add(t.Sub(asked))
}
