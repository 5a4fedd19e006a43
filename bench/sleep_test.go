package bench

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkSleep0 lets others run, of which there are none.
func BenchmarkSleep0(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			for range b.N {
				reactor.Sleep(ctx, 0)
			}
		})
	})
	b.Run("gosched", func(b *testing.B) { // time.Sleep(0) does nothing
		b.ReportAllocs()
		for range b.N {
			runtime.Gosched()
		}
	})
}

// BenchmarkSleepers is a thousand that sleep a microsecond each, again and again:
// so short that the figure is the work, not the waiting.
func BenchmarkSleepers(b *testing.B) {
	const n = 1000
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			each(ctx, b, n, func(ctx context.Context, times int) {
				for range times {
					reactor.Sleep(ctx, time.Microsecond)
				}
			})
		})
	})
	b.Run("time", func(b *testing.B) {
		eachGoroutine(b, n, func(times int) {
			for range times {
				time.Sleep(time.Microsecond)
			}
		})
	})
}
