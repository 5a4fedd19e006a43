package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkHandoff passes values from one task to another through a bounded
// queue: with room for one, both are suspended all the time.
func BenchmarkHandoff(b *testing.B) {
	for _, room := range []int{1, 128} {
		b.Run(fmt.Sprintf("room=%d/queue", room), func(b *testing.B) {
			run(b, func(ctx context.Context) { handOff(ctx, b, room) })
		})
		b.Run(fmt.Sprintf("room=%d/channel", room), func(b *testing.B) {
			b.ReportAllocs()
			c, done := make(chan int, room), make(chan struct{})
			go func() {
				for range c {
				}
				close(done)
			}()
			for i := range b.N {
				c <- i
			}
			close(c)
			<-done
		})
	}
}

func handOff(ctx context.Context, b *testing.B, room int) {
	q := reactor.Queue[int]{Max: room}
	reader := reactor.Go(ctx, func(ctx context.Context) error {
		for range q.All(ctx) {
		}
		return nil
	})
	for i := range b.N {
		q.Put(ctx, i)
	}
	q.Close()
	reader.Wait(ctx)
}
