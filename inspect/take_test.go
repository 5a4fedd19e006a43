package inspect

import (
	"context"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// manyTasks runs f on a loop with n tasks that wait.
func manyTasks(t testing.TB, n int, f func(ctx context.Context) error) {
	t.Helper()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range n {
				g.Go(func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
			}
			for range 3 {
				reactor.Yield(ctx)
			}
			err := f(ctx)
			g.Cancel(nil)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// While somebody looks, the loop goes on: the pieces between which it does are small.
func TestLoopGoesOnWhileLookedAt(t *testing.T) {
	const tasks = 10_000
	manyTasks(t, tasks, func(ctx context.Context) error {
		turns := 0
		looking := reactor.Go(ctx, func(ctx context.Context) error {
			for deadline := time.Now().Add(testkit.Patience); ; turns = 0 {
				seen, err := reactor.ToThread(ctx, func(ctx context.Context) (*Snapshot, error) { return Take(ctx), nil })
				if err != nil {
					return err
				}
				l := seen.Loops[0]
				if l.Error != "" && time.Now().Before(deadline) {
					continue // on a busy machine it may not answer in time
				}
				if len(l.Tasks) < tasks {
					t.Errorf("%d tasks were seen: %s", len(l.Tasks), l.Error)
				}
				return nil
			}
		})
		for ; !looking.Finished(); turns++ {
			if err := reactor.Yield(ctx); err != nil {
				return err
			}
		}
		if turns < tasks/256 {
			t.Errorf("%d turns meanwhile", turns)
		}
		return looking.Wait(ctx)
	})
}

// BenchmarkLook is for how long a look at 100,000 tasks from outside holds up their loop,
// in all and at a time. A task that yields all the while measures that. The garbage
// collector is off: what it does to 100,000 stacks is another matter, and takes longer.
func BenchmarkLook(b *testing.B) {
	const tasks = 100_000
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	manyTasks(b, tasks, func(ctx context.Context) error {
		loop := core.Nearest(ctx).Loop()
		var held, longest []time.Duration
		for b.Loop() {
			looking := reactor.Go(ctx, func(ctx context.Context) error {
				_, err := reactor.ToThread(ctx, func(context.Context) (*core.View, error) { return loop.Look(nil) })
				return err
			})
			var all, most time.Duration
			for last := time.Now(); !looking.Finished(); {
				reactor.Yield(ctx)
				now := time.Now()
				if gap := now.Sub(last); gap > 20*time.Microsecond { // a turn takes less
					all, most = all+gap, max(most, gap)
				}
				last = now
			}
			held, longest = append(held, all), append(longest, most)
		}
		slices.Sort(held)
		slices.Sort(longest)
		b.ReportMetric(float64(held[len(held)/2].Microseconds())/1000, "ms-held")
		b.ReportMetric(float64(longest[len(longest)/2].Microseconds()), "µs-at-most")
		return nil
	})
}
