package shard

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// These need as many free processors as there are loops. The time is that of the clock; for
// the processors' run them under perf stat.

// A message to another shard, and one back, so many at a time.
func BenchmarkThereAndBack(b *testing.B) {
	for _, depth := range []int{1, 64} {
		b.Run(fmt.Sprint("Post/", depth), func(b *testing.B) {
			first(b, 2, func(ctx context.Context, s *Shard[*counter]) error {
				there := s.Peer(1)
				var done reactor.Event
				left, flying := b.N, 0
				var send func()
				back := func(*Shard[*counter]) {
					if flying--; left > 0 {
						send()
					} else if flying == 0 {
						done.Set()
					}
				}
				over := func(*Shard[*counter]) { s.Post(back) }
				send = func() {
					left--
					flying++
					there.Post(over)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for range min(depth, b.N) {
					send()
				}
				return done.Wait(ctx)
			})
		})
		b.Run(fmt.Sprint("Call/", depth), func(b *testing.B) {
			first(b, 2, func(ctx context.Context, s *Shard[*counter]) error {
				left := b.N
				b.ReportAllocs()
				b.ResetTimer()
				return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
					for range depth {
						g.Go(func(ctx context.Context) error {
							for left > 0 {
								left--
								if _, err := Call(ctx, s.Peer(1), count); err != nil {
									return err
								}
							}
							return nil
						})
					}
					return nil
				})
			})
		})
	}
}

// An item from one shard to another, with room for so many.
func BenchmarkChannel(b *testing.B) {
	for _, max := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint("shards/", max), func(b *testing.B) {
			first(b, 2, func(ctx context.Context, s *Shard[*counter]) error {
				c := NewChannel[int](s, s.Peer(1), max)
				b.ReportAllocs()
				b.ResetTimer()
				reactor.Go(ctx, func(ctx context.Context) error {
					defer c.Close()
					for i := range b.N {
						if err := c.Put(ctx, i); err != nil {
							return err
						}
					}
					return nil
				})
				n, err := Call(ctx, s.Peer(1), func(ctx context.Context, _ *Shard[*counter]) (n int, err error) {
					for range c.All(ctx) {
						n++
					}
					return n, nil
				})
				if n != b.N {
					b.Errorf("%d of %d items have arrived", n, b.N)
				}
				return err
			})
		})
		b.Run(fmt.Sprint("go threads/", max), func(b *testing.B) {
			c := make(chan int, max)
			b.ReportAllocs()
			var both sync.WaitGroup
			both.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for i := range b.N {
					c <- i
				}
				close(c)
			})
			both.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for range c {
				}
			})
			both.Wait()
		})
	}
	b.Run("one shard/8", func(b *testing.B) {
		first(b, 1, func(ctx context.Context, s *Shard[*counter]) error {
			c := NewChannel[int](s, s, 8)
			b.ReportAllocs()
			for b.Loop() {
				c.Put(ctx, 1)
				c.Get(ctx)
			}
			return nil
		})
	})
}
