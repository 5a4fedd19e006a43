package reactor_test

import (
	"context"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A result that is not there in time is skipped.
func ExampleMoveOnAfter() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		page := "the page"
		cut, err := reactor.MoveOnAfter(ctx, time.Millisecond, func(ctx context.Context) error {
			if err := reactor.Sleep(ctx, time.Hour); err != nil {
				return err
			}
			page += " and its advertisements"
			return nil
		})
		fmt.Println(page, cut, err)
		return err
	})
	// Output: the page true <nil>
}

// A scope is ended from deep inside, without passing an error up.
func ExampleMoveOn() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		cut, err := reactor.MoveOn(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			for i := 1; ; i++ {
				if i == 3 {
					s.Cancel(nil)
				}
				if err := reactor.Yield(ctx); err != nil {
					return err
				}
				fmt.Println("round", i)
			}
		})
		fmt.Println(cut, err)
		return err
	})
	// Output:
	// round 1
	// round 2
	// true <nil>
}
