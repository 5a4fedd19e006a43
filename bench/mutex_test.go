package bench

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkMutex locks and unlocks: alone, and as one of ten that all want it and
// let others run while they have it.
func BenchmarkMutex(b *testing.B) {
	b.Run("alone/eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			var m reactor.Mutex
			for range b.N {
				m.Lock(ctx)
				m.Unlock()
			}
		})
	})
	b.Run("alone/sync", func(b *testing.B) {
		b.ReportAllocs()
		var m sync.Mutex
		for range b.N {
			m.Lock()
			m.Unlock()
		}
	})
	const n = 10
	b.Run("contended/eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			var m reactor.Mutex
			each(ctx, b, n, func(ctx context.Context, times int) {
				for range times {
					m.Lock(ctx)
					reactor.Yield(ctx)
					m.Unlock()
				}
			})
		})
	})
	b.Run("contended/sync", func(b *testing.B) {
		var m sync.Mutex
		eachGoroutine(b, n, func(times int) {
			for range times {
				m.Lock()
				runtime.Gosched()
				m.Unlock()
			}
		})
	})
}
