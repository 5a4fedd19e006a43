package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A feed that breaks is reconnected, and the clock beside it goes on.
func ExampleSupervisor() {
	supervisor := reactor.Supervisor{
		Restart:     true,
		MaxRestarts: 5,
		Within:      time.Minute,
		MinBackoff:  time.Millisecond,
		OnFailure:   func(_ reactor.AnyTask, err error) { fmt.Println("failed:", err) },
	}
	reactor.Run(context.Background(), func(ctx context.Context) error {
		return supervisor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			attempts := 0
			g.Go(func(ctx context.Context) error {
				if attempts++; attempts < 3 {
					return errors.New("connection reset")
				}
				fmt.Println("the feed is complete")
				g.Cancel(nil)
				return nil
			})
			g.Go(func(ctx context.Context) error {
				err := reactor.Sleep(ctx, time.Hour)
				fmt.Println("the clock stops")
				return err
			})
			return nil
		})
	})
	// Output:
	// failed: connection reset
	// failed: connection reset
	// the feed is complete
	// the clock stops
}

// The log is written until the last handler has ended.
func ExampleTaskGroup_GoService() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			var lines reactor.Queue[string]
			g.GoService(func(ctx context.Context) error {
				for {
					line, err := lines.Get(ctx)
					if err != nil {
						fmt.Println("the log is closed")
						return err
					}
					fmt.Println("log:", line)
				}
			})
			for _, name := range []string{"a", "b"} {
				g.Go(func(ctx context.Context) error {
					err := reactor.Sleep(ctx, time.Hour)
					lines.TryPut(name + " says goodbye")
					return err
				})
			}
			reactor.Yield(ctx)
			g.Cancel(nil)
			return nil
		})
	})
	// Output:
	// log: a says goodbye
	// log: b says goodbye
	// the log is closed
}

// The first task to find it ends the search of all.
func ExampleTaskGroup_Cancel() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range 3 {
				g.Go(func(ctx context.Context) error {
					if err := reactor.Sleep(ctx, time.Duration(i)*time.Hour); err != nil {
						return err
					}
					fmt.Println("found by", i)
					g.Cancel(nil)
					return nil
				})
			}
			return nil
		})
		fmt.Println(err)
		return err
	})
	// Output:
	// found by 0
	// <nil>
}
