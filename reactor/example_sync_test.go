package reactor_test

import (
	"context"
	"fmt"

	"github.com/eddyio/eddy/reactor"
)

// Between two awaits a task is alone anyway; a Mutex keeps others out of a
// region that awaits.
func ExampleMutex() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var m reactor.Mutex
		balance := 100
		withdraw := func(ctx context.Context) (int, error) {
			if err := m.Lock(ctx); err != nil {
				return 0, err
			}
			defer m.Unlock()
			b := balance
			reactor.Yield(ctx) // as if the balance were kept elsewhere
			balance = b - 30
			return balance, nil
		}
		left, err := reactor.Gather(ctx, withdraw, withdraw, withdraw)
		fmt.Println(left, err)
		return err
	})
	// Output: [70 40 10] <nil>
}

func ExampleRWMutex() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var m reactor.RWMutex
		read := func(name string) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				m.RLock(ctx)
				defer m.RUnlock()
				fmt.Println(name, "in")
				return reactor.Yield(ctx)
			}
		}
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(read("a reader"))
			g.Go(func(ctx context.Context) error {
				m.Lock(ctx)
				defer m.Unlock()
				fmt.Println("the writer in, alone")
				return reactor.Yield(ctx)
			})
			g.Go(read("a reader that came after it"))
			return nil
		})
	})
	// Output:
	// a reader in
	// the writer in, alone
	// a reader that came after it in
}

func ExampleEvent() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var open reactor.Event
		for _, name := range []string{"Bob", "welch"} {
			reactor.Go(ctx, func(ctx context.Context) error {
				err := open.Wait(ctx)
				fmt.Println(name, "goes in")
				return err
			})
		}
		reactor.Yield(ctx)
		fmt.Println("the gate opens")
		open.Set()
		return reactor.Yield(ctx)
	})
	// Output:
	// the gate opens
	// Bob goes in
	// welch goes in
}

func ExampleCond() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		c := reactor.Cond{L: new(reactor.Mutex)}
		loaves := 0
		eater := reactor.Go(ctx, func(ctx context.Context) error {
			c.L.Lock(ctx)
			defer c.L.Unlock()
			if err := c.WaitFor(ctx, func() bool { return loaves >= 2 }); err != nil {
				return err
			}
			fmt.Println("eats one of", loaves)
			loaves--
			return nil
		})
		for range 2 {
			reactor.Yield(ctx)
			c.L.Lock(ctx)
			loaves++
			fmt.Println("baked one")
			c.Signal()
			c.L.Unlock()
		}
		return eater.Wait(ctx)
	})
	// Output:
	// baked one
	// baked one
	// eats one of 2
}

func ExampleSemaphore() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		connections := reactor.NewSemaphore(2)
		open, most := 0, 0
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range 10 {
				g.Go(func(ctx context.Context) error {
					if err := connections.Acquire(ctx, 1); err != nil {
						return err
					}
					defer connections.Release(1)
					open++
					most = max(most, open)
					defer func() { open-- }()
					return reactor.Yield(ctx)
				})
			}
			return nil
		})
		fmt.Println("at most", most, "at a time")
		return err
	})
	// Output: at most 2 at a time
}

func ExampleBarrier() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		b := reactor.NewBarrier(3)
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range 3 {
				g.Go(func(ctx context.Context) error {
					for range i {
						reactor.Yield(ctx) // each comes at its own time
					}
					number, err := b.Wait(ctx)
					if number == 0 {
						fmt.Println("the first to come opens the bottle")
					}
					return err
				})
			}
			return nil
		})
	})
	// Output: the first to come opens the bottle
}

// The worker takes jobs as they come, while Put holds back who makes them too
// fast; Close lets it end when all is done.
func ExampleQueue() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		jobs := reactor.Queue[string]{Max: 1}
		worker := reactor.Go(ctx, func(ctx context.Context) error {
			for job := range jobs.All(ctx) {
				fmt.Println("doing", job)
				jobs.TaskDone()
			}
			return ctx.Err()
		})
		for _, job := range []string{"this", "that", "the other"} {
			if err := jobs.Put(ctx, job); err != nil {
				return err
			}
		}
		jobs.Join(ctx)
		fmt.Println("all done")
		jobs.Close()
		return worker.Wait(ctx)
	})
	// Output:
	// doing this
	// doing that
	// doing the other
	// all done
}

func ExamplePriorityQueue() {
	q := reactor.PriorityQueue[string]{Less: func(a, b string) bool { return len(a) < len(b) }}
	for _, word := range []string{"three", "by", "one", "two"} {
		q.TryPut(word)
	}
	for q.Len() > 0 {
		word, _ := q.TryGet()
		fmt.Print(word, " ")
	}
	// Output: by one two three
}

// Followers get the latest value, not every one.
func ExampleWatch() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var level reactor.Watch[int]
		follower := reactor.Go(ctx, func(ctx context.Context) error {
			for l := range level.Changes(ctx) {
				fmt.Println("level", l)
			}
			return ctx.Err()
		})
		reactor.Yield(ctx)
		level.Set(1)
		level.Set(2) // before the follower has run
		reactor.Yield(ctx)
		level.Set(3)
		level.Close()
		return follower.Wait(ctx)
	})
	// Output:
	// level 0
	// level 2
	// level 3
}

// A callback's result becomes something that a task can await.
func ExampleFuture() {
	reactor.Run(context.Background(), func(ctx context.Context) error {
		var answer reactor.Future[int]
		reactor.LoopOf(ctx).CallLater(1, func() { answer.SetResult(42) })
		n, err := answer.Await(ctx)
		fmt.Println(n, err)
		return err
	})
	// Output: 42 <nil>
}
