package reactor

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

func onRealClock(t *testing.T, f func(ctx context.Context) error) {
	t.Helper()
	if err := Run(context.Background(), f); err != nil {
		t.Error(err)
	}
}

// What a loop has done is read by other goroutines, also while it stands, and what it
// has.
func TestMetrics(t *testing.T) {
	onRealClock(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		before := l.Metrics()
		for range 10 {
			GoNow(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Millisecond) })
		}
		Sleep(ctx, 50*time.Millisecond)
		after, err := ToThread(ctx, func(context.Context) (Metrics, error) { return l.Metrics(), nil })
		if err != nil {
			return err
		}
		if n := after.Steps - before.Steps; n < 11 || n > 50 || after.Turns <= before.Turns {
			t.Errorf("%d steps, %d turns", n, after.Turns-before.Turns)
		}
		if after.Asleep-before.Asleep < 10*time.Millisecond || after.Uptime-before.Uptime < 50*time.Millisecond {
			t.Errorf("it slept for %v of %v", after.Asleep-before.Asleep, after.Uptime-before.Uptime)
		}
		if after.Tasks != 1 || after.Threads != 1 || after.Coroutines < 10 || after.Pooled < 9 || after.CoroutineMemory < 9*2048 {
			t.Errorf("%d tasks, %d threads, %d of %d coroutines pooled", after.Tasks, after.Threads, after.Pooled, after.Coroutines)
		}
		if n := after.Lag.Total(); n < 11 || n > after.Steps {
			t.Errorf("%d lags of %d steps", n, after.Steps)
		}
		sleeper := GoNow(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Hour) }) // so the clock is read
		defer sleeper.Cancel(nil)
		n := l.Metrics()
		for deadline := time.Now().Add(testkit.Patience); n.Wakes == 0 && time.Now().Before(deadline); n = l.Metrics() {
			ToThread(ctx, func(context.Context) (int, error) { time.Sleep(time.Millisecond); return 0, nil }) // mostly the loop sleeps by then
		}
		if n.Posts <= before.Posts || n.Wakes == 0 {
			t.Errorf("%d posts, %d wakes", n.Posts, n.Wakes)
		}
		time.Sleep(30 * time.Millisecond) // what a task must not do
		stands := make(chan Metrics)
		go func() { stands <- l.Metrics() }()
		m := <-stands
		if w := m.Windows[0]; w.MaxLag < 30*time.Millisecond || w.Utilization <= 0 || w.Over != 10*time.Second {
			t.Errorf("as it stands: %v, %v", w.MaxLag, w.Utilization)
		}
		Yield(ctx)
		Sleep(ctx, time.Millisecond)
		if max := l.Metrics().Windows[0].MaxLag; max < 30*time.Millisecond {
			t.Errorf("after it stood: %v", max)
		}
		return nil
	})
}

// To read the metrics of a busy loop is no race.
func TestMetricsOfABusyLoop(t *testing.T) {
	onRealClock(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		done := Async(ctx, func(ctx context.Context) (int, error) {
			return ToThread(ctx, func(context.Context) (int, error) {
				last := uint64(0)
				for range 1000 {
					m := l.Metrics()
					if m.Steps < last || m.Windows[0].Utilization < 0 || m.Windows[0].Utilization > 1 {
						t.Errorf("%d steps after %d", m.Steps, last)
					}
					last = m.Steps
				}
				return 0, nil
			})
		})
		for !done.Finished() {
			Yield(ctx)
		}
		return nil
	})
}
