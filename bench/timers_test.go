package bench

import (
	"fmt"
	"testing"

	"github.com/eddyio/eddy/bench/internal/timers"
)

// BenchmarkTimers does things to timers while others are pending: eddy's wheel,
// a loop's CallLater, and package time.
func BenchmarkTimers(b *testing.B) {
	for _, c := range timers.Cases {
		for _, pending := range []int{1000, 100_000, 1_000_000} {
			for _, w := range c.Ways {
				benchmarkTimers(b, fmt.Sprintf("%s/pending=%d/%s", c.Name, pending, w.Name), w, pending)
			}
		}
	}
}

// benchmarkTimers prepares once, however often the benchmark is run to find b.N.
func benchmarkTimers(b *testing.B, name string, w timers.Way, pending int) {
	var do func(n int)
	var stop func()
	b.Run(name, func(b *testing.B) {
		if do == nil {
			do, stop = w.Start(pending)
		}
		b.ReportAllocs()
		b.ResetTimer()
		do(b.N)
	})
	if stop != nil {
		stop()
	}
}
