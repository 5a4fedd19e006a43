package bench

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkYield is a turn of each of n tasks, by b.N; to compare with
// Resume/pull, too, which is what one task's yield can't be cheaper than.
func BenchmarkYield(b *testing.B) {
	for _, n := range []int{1, 1000, 10000} {
		b.Run(fmt.Sprintf("tasks=%d/eddy", n), func(b *testing.B) {
			run(b, func(ctx context.Context) {
				each(ctx, b, n, func(ctx context.Context, times int) {
					for range times {
						reactor.Yield(ctx)
					}
				})
			})
		})
		b.Run(fmt.Sprintf("tasks=%d/gosched", n), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			eachGoroutine(b, n, func(times int) {
				for range times {
					runtime.Gosched()
				}
			})
		})
	}
}
