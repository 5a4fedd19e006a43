package reactor

import (
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Metrics are what a loop has done and has, at a moment; see [Loop.Metrics]. Counters only
// grow.
type Metrics = core.Metrics

// A MetricsWindow is how a loop has done of late.
type MetricsWindow = core.Window

// A LagHistogram counts steps, which are the runs of tasks and callbacks between two
// suspensions, by their lag: how long they had to wait, at the most, from being ready to
// running. It is that of the turn they ran in, which is also what new events wait for.
type LagHistogram = core.Histogram

// LagBound returns the least lag that is not counted in a LagHistogram's i-th place, which
// holds those that are not in an earlier one. The places are a quarter of a doubling
// apart, from a microsecond to four minutes.
func LagBound(i int) time.Duration { return core.LagBound(i) }

// Metrics returns how the loop does, as of the end of its last turn. It may be called from
// any goroutine, and takes some microseconds there; the loop takes no notice. While a
// loop stands, the lag of its windows grows. (Node's event loop utilization, tokio's
// RuntimeMetrics.)
//
// A loop that does nothing but compute, without descriptors and timers, looks at the clock
// in one turn out of 64, and so its lags are the means of as many turns.
func (l *Loop) Metrics() Metrics { return l.core.Metrics() }
