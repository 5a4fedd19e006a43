package bench

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkSpawn starts something, waits for its end, and takes its result. A
// task is also what one waits for and what has the result; a goroutine needs a
// channel for that, one of its own or one that is there already.
func BenchmarkSpawn(b *testing.B) {
	b.Run("eddy", func(b *testing.B) {
		run(b, func(ctx context.Context) {
			f := func(context.Context) error { return nil }
			for range b.N {
				reactor.Go(ctx, f).Wait(ctx)
			}
		})
	})
	b.Run("goroutine,own_channel", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			done := make(chan error)
			go func() { done <- nil }()
			<-done
		}
	})
	b.Run("goroutine,one_channel", func(b *testing.B) {
		b.ReportAllocs()
		done := make(chan error)
		for range b.N {
			go func() { done <- nil }()
			<-done
		}
	})
}

// BenchmarkGather1000 is a thousand functions that each let others run once.
func BenchmarkGather1000(b *testing.B) {
	const n = 1000
	b.Run("eddy", func(b *testing.B) {
		fs := make([]func(context.Context) (int, error), n)
		for i := range fs {
			fs[i] = func(ctx context.Context) (int, error) { return i, reactor.Yield(ctx) }
		}
		run(b, func(ctx context.Context) {
			for range b.N {
				reactor.Gather(ctx, fs...)
			}
		})
	})
	b.Run("waitgroup", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			values := make([]int, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { runtime.Gosched(); values[i] = i })
			}
			wg.Wait()
		}
	})
}
