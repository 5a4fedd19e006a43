package reactor_test

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor"
)

// A limiter that grows while tasks wait for it.
func ExampleSemaphore_SetTotal() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		limiter := reactor.NewSemaphore(1)
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range 4 {
				g.Go(func(ctx context.Context) error {
					if err := limiter.Acquire(ctx, 1); err != nil {
						return err
					}
					defer limiter.Release(1)
					fmt.Println("working:", i)
					return reactor.Yield(ctx)
				})
			}
			reactor.Yield(ctx)
			fmt.Println("three at a time")
			limiter.SetTotal(3)
			return nil
		})
	})
	// Output:
	// working: 0
	// three at a time
	// working: 1
	// working: 2
	// working: 3
}
