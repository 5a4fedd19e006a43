package bench

import (
	"iter"
	"testing"

	"github.com/eddyio/eddy/coro"
)

// BenchmarkResume is control passed to another function and back, with a value.
func BenchmarkResume(b *testing.B) {
	b.Run("generator", func(b *testing.B) {
		b.ReportAllocs()
		g := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
			for {
				if _, err := y.Yield(1); err != nil {
					return struct{}{}, err
				}
			}
		})
		defer g.Close()
		for range b.N {
			g.Next()
		}
	})
	b.Run("pull", func(b *testing.B) {
		b.ReportAllocs()
		next, stop := iter.Pull(func(yield func(int) bool) {
			for yield(1) {
			}
		})
		defer stop()
		for range b.N {
			next()
		}
	})
	b.Run("channels", func(b *testing.B) {
		b.ReportAllocs()
		ask, answer := make(chan struct{}), make(chan int)
		go func() {
			for range ask {
				answer <- 1
			}
		}()
		for range b.N {
			ask <- struct{}{}
			<-answer
		}
		close(ask)
	})
}
