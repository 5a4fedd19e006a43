package bench

import (
	"context"
	"sync"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// run runs f as the main task of a loop.
func run(b *testing.B, f func(ctx context.Context)) {
	b.Helper()
	b.ReportAllocs()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		b.ResetTimer()
		f(ctx)
		b.StopTimer()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// each runs f in n tasks at once, each of which gets its share of b.N. Time is
// taken from when all of them have begun.
func each(ctx context.Context, b *testing.B, n int, f func(ctx context.Context, times int)) {
	err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		for i := range n {
			g.Go(func(ctx context.Context) error {
				reactor.Yield(ctx)
				f(ctx, share(b.N, n, i))
				return nil
			})
		}
		reactor.Yield(ctx) // behind the tasks' first step, and before their second
		b.ResetTimer()
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

// share is the i-th of n parts of total.
func share(total, n, i int) int { return (total + n - 1 - i) / n }

// eachGoroutine is what each does, with goroutines.
func eachGoroutine(b *testing.B, n int, f func(times int)) {
	b.ReportAllocs()
	var begun, ended sync.WaitGroup
	begun.Add(n)
	gate := make(chan struct{})
	for i := range n {
		ended.Go(func() {
			begun.Done()
			<-gate
			f(share(b.N, n, i))
		})
	}
	begun.Wait()
	b.ResetTimer()
	close(gate)
	ended.Wait()
}
