package reactor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// The work takes time, and the ticks stay regular.
func ExampleTicker() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		const interval = 10 * time.Millisecond
		began := reactor.Now(ctx)
		ticker := reactor.NewTicker(ctx, interval)
		for range 3 {
			tick, err := ticker.Next(ctx)
			if err != nil {
				return err
			}
			late := tick.Sub(began).Round(time.Millisecond) % interval
			fmt.Println("off by", late)
			reactor.Sleep(ctx, interval/3)
		}
		return nil
	})
	// Output:
	// off by 0s
	// off by 0s
	// off by 0s
}

// A task that sleeps until a time, not for a duration.
func ExampleSleepUntil() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		noon := reactor.Now(ctx).Add(5 * time.Millisecond)
		err := reactor.SleepUntil(ctx, noon)
		fmt.Println(reactor.Now(ctx).Before(noon), err)
		return err
	})
	// Output: false <nil>
}
