package reactor_test

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor"
)

// The producer is never ahead of the consumer: Put returns when its item is taken.
func ExampleRendezvous() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		q := reactor.Queue[string]{Max: reactor.Rendezvous}
		producer := reactor.Go(ctx, func(ctx context.Context) error {
			for _, dish := range []string{"soup", "pie"} {
				fmt.Println("serving", dish)
				if err := q.Put(ctx, dish); err != nil {
					return err
				}
			}
			q.Close()
			return nil
		})
		reactor.Yield(ctx)
		for dish := range q.All(ctx) {
			fmt.Println("eating", dish)
			reactor.Yield(ctx)
		}
		return producer.Wait(ctx)
	})
	// Output:
	// serving soup
	// eating soup
	// serving pie
	// eating pie
}
