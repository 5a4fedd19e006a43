package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func sayAfter(ctx context.Context, delay time.Duration, what string) error {
	if err := reactor.Sleep(ctx, delay); err != nil {
		return err
	}
	fmt.Println(what)
	return nil
}

func Example() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		welch := reactor.Go(ctx, func(ctx context.Context) error { return sayAfter(ctx, 4*time.Millisecond, "welch") })
		bob := reactor.Go(ctx, func(ctx context.Context) error { return sayAfter(ctx, 2*time.Millisecond, "Bob") })
		return errors.Join(bob.Wait(ctx), welch.Wait(ctx))
	})
	fmt.Println(err)
	// Output:
	// Bob
	// welch
	// <nil>
}

func ExampleGather() {
	square := func(n int) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			err := reactor.Sleep(ctx, time.Duration(10-n)*time.Microsecond)
			return n * n, err
		}
	}
	reactor.Run(context.Background(), func(ctx context.Context) error {
		fmt.Println(reactor.Gather(ctx, square(1), square(2), square(3)))
		return nil
	})
	// Output: [1 4 9] <nil>
}

func ExampleTimeout() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		err := reactor.Timeout(ctx, time.Millisecond, func(ctx context.Context) error {
			return reactor.Sleep(ctx, time.Hour)
		})
		fmt.Println(err)
		return nil
	})
	// Output: context deadline exceeded
}

func ExampleGroup() {
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				err := reactor.Sleep(ctx, time.Hour)
				fmt.Println("sibling:", err)
				return err
			})
			g.Go(func(ctx context.Context) error { return errors.New("no such table") })
			return nil
		})
	})
	fmt.Println(err)
	// Output:
	// sibling: context canceled: no such table
	// no such table
}

func ExampleTask_Cancel() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		task := reactor.Go(ctx, func(ctx context.Context) error {
			err := reactor.Sleep(ctx, time.Hour)
			// What has to wait while it cleans up is shielded.
			reactor.Sleep(context.WithoutCancel(ctx), time.Microsecond)
			return err
		})
		reactor.Yield(ctx)
		task.Cancel(errors.New("no longer needed"))
		err := task.Wait(ctx)
		fmt.Println(err, errors.Is(err, context.Canceled))
		return nil
	})
	// Output: context canceled: no longer needed true
}

func ExampleToThread() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		sum, err := reactor.ToThread(ctx, func(context.Context) (int, error) {
			sum := 0 // something long: the loop goes on meanwhile
			for i := range 1000 {
				sum += i
			}
			return sum, nil
		})
		fmt.Println(sum, err)
		return nil
	})
	// Output: 499500 <nil>
}

func ExampleLoop_Post() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var answer reactor.Future[string]
		loop := reactor.LoopOf(ctx)
		release := loop.Hold() // a goroutine will wake one of the loop's tasks
		go func() {
			defer release()
			loop.Post(func() { answer.SetResult("from outside") })
		}()
		fmt.Println(answer.Await(ctx))
		return nil
	})
	// Output: from outside <nil>
}
