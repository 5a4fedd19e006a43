package reactor_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// racer makes a task that ends after d.
func racer(ctx context.Context, name string, d time.Duration) *reactor.Task[string] {
	t := reactor.Async(ctx, func(ctx context.Context) (string, error) { return name, reactor.Sleep(ctx, d) })
	t.SetName(name)
	return t
}

// What is slow is neither cancelled nor an error: it is in the second list.
func ExampleWait() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		hare, tortoise := racer(ctx, "hare", time.Hour), racer(ctx, "tortoise", time.Millisecond)
		done, pending, err := reactor.Wait(ctx, reactor.FirstDone, hare, tortoise)
		fmt.Println(done, pending, err)
		return err
	})
	// Output: [task 3 (tortoise)] [task 2 (hare)] <nil>
}

func ExampleAsCompleted() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		a, b, c := racer(ctx, "a", 9*time.Millisecond), racer(ctx, "b", time.Millisecond), racer(ctx, "c", 5*time.Millisecond)
		for task, err := range reactor.AsCompleted(ctx, a, b, c) {
			if err != nil {
				return err
			}
			fmt.Println(task.Result())
		}
		return nil
	})
	// Output:
	// b <nil>
	// c <nil>
	// a <nil>
}

// The caller goes on when the server listens, and knows its address.
func ExampleStart() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			addr, err := reactor.Start(ctx, g, func(ctx context.Context, started func(string)) error {
				reactor.Yield(ctx) // as if it took some time
				started("127.0.0.1:8080")
				fmt.Println("serving")
				return reactor.Sleep(ctx, time.Millisecond)
			})
			fmt.Println("dialing", addr)
			return err
		})
	})
	// Output:
	// serving
	// dialing 127.0.0.1:8080
}

// A scope whose deadline moves: each step gets a second anew.
func ExampleScope() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Scope(ctx, func(ctx context.Context, s *reactor.CancelScope) error {
			for i := range 3 {
				s.SetTimeout(time.Second)
				if err := reactor.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				fmt.Println("step", i)
			}
			s.Cancel(errors.New("that will do"))
			fmt.Println(reactor.Yield(ctx), s.Expired())
			return nil
		})
	})
	// Output:
	// step 0
	// step 1
	// step 2
	// context canceled: that will do false
}

func ExampleReceive() {
	ticks := make(chan string)
	go func() {
		defer close(ticks)
		for _, s := range []string{"tick", "tock"} {
			ticks <- s
		}
	}()
	reactor.Run(context.Background(), func(ctx context.Context) error {
		for {
			s, ok, err := reactor.Receive(ctx, ticks)
			if err != nil || !ok {
				return err
			}
			fmt.Println(s)
		}
	})
	// Output:
	// tick
	// tock
}

// An asynchronous generator: its body awaits between the values.
func ExampleGenerateSimple() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		countdown := reactor.GenerateSimple(ctx, func(ctx context.Context, yield func(int) error) error {
			for i := 3; i > 0; i-- {
				if err := reactor.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				if err := yield(i); err != nil {
					return err
				}
			}
			return nil
		})
		for i, err := range countdown.All() {
			if err != nil {
				return err
			}
			fmt.Println(i)
		}
		return nil
	})
	// Output:
	// 3
	// 2
	// 1
}

// The function runs up to its first await before GoNow returns.
func ExampleGoNow() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		task := reactor.GoNow(ctx, func(ctx context.Context) error {
			fmt.Println("one")
			reactor.Yield(ctx)
			fmt.Println("three")
			return nil
		})
		fmt.Println("two")
		return task.Wait(ctx)
	})
	// Output:
	// one
	// two
	// three
}

// At most two of the group's tasks run at a time.
func ExampleTaskGroup_SetLimit() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.SetLimit(2)
			for i := range 4 {
				g.Go(func(ctx context.Context) error {
					fmt.Println("begin", i)
					err := reactor.Yield(ctx)
					fmt.Println("end", i)
					return err
				})
			}
			return nil
		})
	})
	// Output:
	// begin 0
	// begin 1
	// end 0
	// end 1
	// begin 2
	// begin 3
	// end 2
	// end 3
}

// Somebody else's main loop drives eddy's, turn by turn.
func ExampleGuest() {
	g, err := reactor.Begin(context.Background(), func(ctx context.Context) error {
		for i := range 2 {
			fmt.Println("task", i)
			reactor.Yield(ctx)
		}
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for g.Turn(0) {
		fmt.Println("host")
	}
	fmt.Println(g.End())
	// Output:
	// task 0
	// host
	// task 1
	// host
	// <nil>
}

func ExampleDump() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		reactor.Current(ctx).SetName("main")
		racer(ctx, "sleeper", time.Hour)
		reactor.Yield(ctx)
		fmt.Print(reactor.Dump(ctx))
		return nil
	})
	// Output:
	// task 1 (main) runs
	// task 2 (sleeper) waits for a sleep to end
}
