package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// shuffled runs f under many orders of its tasks, each twice.
func shuffled(t *testing.T, f func(ctx context.Context, pause func(context.Context) error)) {
	t.Helper()
	testkit.Leaks(t)
	reactortest.Options{Shuffle: true, Twice: true}.Simulate(t, func(ctx context.Context, n *network) {
		dice := reactortest.Rand(ctx)
		f(ctx, func(ctx context.Context) error { // lets others run, for a turn or for some time
			if dice.IntN(2) == 0 {
				return reactor.Yield(ctx)
			}
			return reactor.Sleep(ctx, time.Duration(dice.IntN(10)))
		})
	})
}

// Whatever the order, a lock is held by one at a time, and a semaphore by as many
// as it has room for, also when some are cancelled as they wait.
func TestLocksInAnyOrder(t *testing.T) {
	shuffled(t, func(ctx context.Context, pause func(context.Context) error) {
		var m reactor.Mutex
		sem := reactor.NewSemaphore(3)
		holders, most := 0, 0
		reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range 10 {
				g.Go(func(ctx context.Context) error {
					reactor.Timeout(ctx, time.Duration(5+i*10), func(ctx context.Context) error {
						if err := m.Lock(ctx); err != nil {
							return err
						}
						defer m.Unlock()
						holders++
						if holders != 1 {
							t.Error(holders, "hold the lock")
						}
						defer func() { holders-- }()
						return pause(ctx)
					})
					return nil
				})
			}
			return nil
		})
		users := 0
		reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range 10 {
				g.Go(func(ctx context.Context) error {
					if err := sem.Acquire(ctx, 1); err != nil {
						return err
					}
					defer sem.Release(1)
					users++
					most = max(most, users)
					defer func() { users-- }()
					return pause(ctx)
				})
			}
			return nil
		})
		if most != 3 {
			t.Error("the most at a time:", most)
		}
	})
}

// A queue loses nothing and doubles nothing, and keeps each producer's order.
func TestQueueInAnyOrder(t *testing.T) {
	shuffled(t, func(ctx context.Context, pause func(context.Context) error) {
		q := reactor.Queue[[2]int]{Max: 2}
		got := make([][]int, 3)
		reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for p := range 3 {
				g.Go(func(ctx context.Context) error {
					for i := range 5 {
						pause(ctx)
						if err := q.Put(ctx, [2]int{p, i}); err != nil {
							return err
						}
					}
					return nil
				})
			}
			g.Go(func(ctx context.Context) error {
				for range 15 {
					v, err := q.Get(ctx)
					if err != nil {
						return err
					}
					got[v[0]] = append(got[v[0]], v[1])
					pause(ctx)
				}
				return nil
			})
			return nil
		})
		if fmt.Sprint(got) != "[[0 1 2 3 4] [0 1 2 3 4] [0 1 2 3 4]]" {
			t.Error(got)
		}
	})
}

// Events, conditions, barriers and futures wake all whom they should, once.
func TestWakeUpsInAnyOrder(t *testing.T) {
	shuffled(t, func(ctx context.Context, pause func(context.Context) error) {
		var e reactor.Event
		var f reactor.Future[int]
		b := reactor.NewBarrier(4)
		passed := 0
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range 4 {
				g.Go(func(ctx context.Context) error {
					pause(ctx)
					if err := e.Wait(ctx); err != nil {
						return err
					}
					if v, err := f.Await(ctx); v != 7 {
						return errors.Join(fmt.Errorf("the future is %d", v), err)
					}
					if _, err := b.Wait(ctx); err != nil {
						return err
					}
					passed++
					return nil
				})
			}
			g.Go(func(ctx context.Context) error { pause(ctx); e.Set(); pause(ctx); return f.SetResult(7) })
			return nil
		})
		if passed != 4 || err != nil {
			t.Error(passed, err)
		}
	})
}

// A group's first failure is what it returns, and all of it ends at that moment.
func TestGroupsInAnyOrder(t *testing.T) {
	boom := errors.New("boom")
	shuffled(t, func(ctx context.Context, pause func(context.Context) error) {
		var ended []int
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i := range 5 {
				g.Go(func(ctx context.Context) error {
					defer func() { ended = append(ended, i) }()
					if i == 3 {
						reactor.Sleep(ctx, time.Microsecond)
						return boom
					}
					for pause(ctx) == nil {
					}
					return ctx.Err()
				})
			}
			return nil
		})
		if slices.Sort(ended); err != boom || len(ended) != 5 || now(ctx) != time.Microsecond {
			t.Error(err, ended, now(ctx))
		}
		vs, err := reactor.Gather(ctx, value(1, pause), value(2, pause), value(3, pause))
		if fmt.Sprint(vs) != "[1 2 3]" || err != nil {
			t.Error(vs, err)
		}
	})
}

func value(v int, pause func(context.Context) error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) { return v, pause(ctx) }
}
