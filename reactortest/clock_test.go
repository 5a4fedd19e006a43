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

// An hour's sleeps, of many tasks, end exactly when they should, in no time.
func TestSleepsPassAtOnce(t *testing.T) {
	began := time.Now()
	reactortest.Run(t, func(ctx context.Context) {
		for i := range 1000 {
			reactor.Go(ctx, func(ctx context.Context) error {
				d := time.Duration(i) * 3600 * time.Millisecond
				err := reactor.Sleep(ctx, d)
				if now := reactortest.ClockOf(ctx).Now(); now != d {
					t.Errorf("a sleep of %v ended at %v", d, now)
				}
				return err
			})
		}
		reactor.Sleep(ctx, time.Hour)
	})
	if took := time.Since(began); took > testkit.Patience {
		t.Errorf("an hour took %v", took)
	}
}

func TestTimeOfDay(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		if now := reactor.Now(ctx); now != time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) {
			t.Error("it begins at", now)
		}
		reactor.Sleep(ctx, 90*time.Minute)
		if now := reactor.Now(ctx).Format(time.Kitchen); now != "1:30AM" {
			t.Error("after 90 minutes it is", now)
		}
		reactor.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			if d, ok := ctx.Deadline(); !ok || d.Sub(reactor.Now(ctx)) != time.Minute {
				t.Error("the deadline is at", d)
			}
			return nil
		})
		reactor.TimeoutAt(ctx, reactor.Now(ctx).Add(time.Second), func(ctx context.Context) error {
			reactor.Sleep(ctx, time.Hour)
			return nil
		})
		if now := reactor.Now(ctx).Format("15:04:05"); now != "01:30:01" {
			t.Error("the timeout was at", now)
		}
	})
}

// Timers beyond a held clock do not fire, and those that it passes fire exactly
// when they are due.
func TestClockByHand(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		c := reactortest.ClockOf(ctx)
		c.Hold()
		var log []string
		for _, s := range []int{1, 2, 2, 5} {
			reactor.Go(ctx, func(ctx context.Context) error {
				reactor.Sleep(ctx, time.Duration(s)*time.Second)
				log = append(log, fmt.Sprint(s, "@", c.Now()))
				return nil
			})
		}
		after := func(what string, want ...string) {
			t.Helper()
			if !slices.Equal(log, want) {
				t.Errorf("after %s at %v: %q, want %q", what, c.Now(), log, want)
			}
			log = nil
		}
		c.Settle(ctx)
		after("Settle")
		c.Advance(ctx, time.Second-1)
		after("999999999 ns")
		c.Advance(ctx, 1)
		after("another", "1@1s")
		c.Step(ctx)
		after("a step", "2@2s", "2@2s")
		c.Advance(ctx, 0)
		after("nothing")
		c.Advance(ctx, 10*time.Second)
		after("ten seconds", "5@5s")
		if c.Now() != 12*time.Second {
			t.Error("it is", c.Now())
		}
		c.Step(ctx) // nothing is to come
		if c.Now() != 12*time.Second {
			t.Error("a step into nothing went to", c.Now())
		}
		c.Release()
		reactor.Sleep(ctx, time.Minute)
		if c.Now() != 72*time.Second {
			t.Error("released, it is", c.Now())
		}
	})
}

// A crowd of timers causes one wake-up without a timer; a step must not stop
// there.
func TestStepOverACrowd(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		c := reactortest.ClockOf(ctx)
		c.Hold()
		n := 0
		for i := range 100 {
			reactor.Go(ctx, func(ctx context.Context) error {
				reactor.Sleep(ctx, time.Hour+time.Duration(i))
				n++
				return nil
			})
		}
		for i := range 100 {
			c.Step(ctx)
			if n != i+1 || c.Now() != time.Hour+time.Duration(i) {
				t.Fatalf("step %d: %d have run, at %v", i+1, n, c.Now())
			}
		}
	})
}

// Timers that become due while a task computes are late, but in order.
func TestSpend(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		c := reactortest.ClockOf(ctx)
		var late []time.Duration
		for _, d := range []time.Duration{3, 1, 2} {
			reactor.LoopOf(ctx).CallLater(d*time.Second, func() { late = append(late, d, c.Now()) })
		}
		c.Spend(time.Minute)
		if c.Now() != time.Minute || late != nil {
			t.Error(c.Now(), late)
		}
		reactor.Sleep(ctx, 1)
		if want := fmt.Sprint([]time.Duration{1, time.Minute, 2, time.Minute, 3, time.Minute}); fmt.Sprint(late) != want {
			t.Error(late)
		}
	})
}

// A timeout that is due at once is, also when the clock has just started.
func TestNoTimeAtAll(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		err := reactor.Timeout(ctx, 0, func(ctx context.Context) error {
			reactor.Yield(ctx)
			return reactor.Yield(ctx)
		})
		if !errors.Is(err, context.DeadlineExceeded) || now(ctx) != 0 {
			t.Error(err, now(ctx))
		}
	})
}

// Settle waits until the others can do no more without time passing.
func TestSettle(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		c := reactortest.ClockOf(ctx)
		steps := 0
		reactor.Go(ctx, func(ctx context.Context) error {
			for range 100 {
				reactor.Yield(ctx)
				steps++
			}
			reactor.Sleep(ctx, 1)
			steps++
			return nil
		})
		c.Settle(ctx)
		if steps != 100 || c.Now() != 0 {
			t.Errorf("%d steps, at %v", steps, c.Now())
		}
	})
}

func TestNoVirtualClock(t *testing.T) {
	if c := reactortest.ClockOf(context.Background()); c != nil {
		t.Error(c)
	}
	before := time.Now()
	if now := reactor.Now(context.Background()); now.Before(before) || time.Since(now) < 0 {
		t.Error(now)
	}
}

// Real goroutines hold the clock in Run.
func TestRunWaitsForThreads(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		reactor.Go(ctx, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
		reactor.ToThread(ctx, func(context.Context) (int, error) { time.Sleep(10 * time.Millisecond); return 0, nil })
		if now := reactortest.ClockOf(ctx).Now(); now != 0 {
			t.Error("the clock went on, to", now)
		}
		ch := make(chan int)
		go func() { time.Sleep(10 * time.Millisecond); ch <- 1 }()
		if v, _, err := reactor.Receive(ctx, ch); v != 1 || err != nil {
			t.Error(v, err)
		}
		if now := reactortest.ClockOf(ctx).Now(); now != 0 {
			t.Error("the clock went on, to", now)
		}
		l := reactor.LoopOf(ctx)
		defer l.Hold()()
		var f reactor.Future[int]
		go func() { time.Sleep(10 * time.Millisecond); l.Post(func() { f.SetResult(2) }) }()
		sleeper := reactor.Go(ctx, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Minute) })
		sleeper.Wait(ctx)
		if v, err := f.Await(ctx); v != 2 || err != nil {
			t.Error(v, err)
		}
	})
}

// The end of a foreign context is noticed at the same moment.
func TestForeignContext(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		for range 100 {
			inner, cancel := context.WithCancel(ctx)
			sleeper := reactor.Go(inner, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
			reactor.Yield(ctx)
			before := reactortest.ClockOf(ctx).Now()
			cancel()
			sleeper.Wait(ctx)
			if now := reactortest.ClockOf(ctx).Now(); now != before {
				t.Fatal("it took until", now)
			}
		}
	})
}
