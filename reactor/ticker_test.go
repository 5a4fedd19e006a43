package reactor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Whatever the work between two ticks takes, each is due at a multiple of the
// interval, none is early, and the one that is returned is the latest.
func TestTickerWithWorkOfAnyLength(t *testing.T) {
	works := []time.Duration{0, 4, 10, 13, 25, 40}
	for _, a := range works {
		for _, b := range works {
			for _, c := range works {
				onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
					v.Time.Store(7)
					start, wall := Facade(l).Time(), Now(ctx)
					ticker := NewTicker(ctx, 10)
					last := time.Duration(0)
					for _, work := range []time.Duration{a, b, c, 0} {
						called := Facade(l).Time() - start
						at, err := ticker.Next(ctx)
						tick, now := at.Sub(wall), Facade(l).Time()-start
						want := max(last+10, called/10*10)
						if err != nil || tick != want || now != max(called, want) {
							t.Errorf("after work of %d, %d, %d: tick %d at %d, want %d (%v)", a, b, c, tick, now, want, err)
						}
						last = tick
						v.Time.Add(int64(work)) // it computes, and lets no one else run
					}
					if l.Holdings().Timers != 0 {
						t.Error("a timer while nobody waits")
					}
					return nil
				})
			}
		}
	}
}

// A tick that is due already still takes a turn, so a task whose work takes
// longer than the interval lets others run.
func TestTickerLetsOthersRun(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		ticker := NewTicker(ctx, time.Second)
		v.Time.Add(int64(time.Minute))
		turned := false
		Facade(l).CallSoon(func() { turned = true })
		if _, err := ticker.Next(ctx); err != nil || !turned {
			t.Errorf("%v, turned %v", err, turned)
		}
		return nil
	})
}

// Stop, Reset and the cancellation of one of two waiters, in every order within
// a turn, before the tick and in the tick's own turn.
func TestTickerInEveryOrder(t *testing.T) {
	const stop, reset, cancel = 0, 1, 2
	for _, at := range []time.Duration{5, 10} {
		permutations(3, func(order []int) {
			onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
				wall := Now(ctx)
				ticker := NewTicker(ctx, 10)
				Facade(l).CallAt(at, func() {
					if msg := ticker.waiters.Check(); msg != "" {
						t.Error(msg)
					}
				})
				var victim *Task[struct{}]
				acts := []func(){ticker.Stop, func() { ticker.Reset(20) }, func() { victim.Cancel(errBoom) }}
				for _, i := range order {
					Facade(l).CallAt(at, acts[i]) // older than the waiters' timers
				}
				results := make([]string, 2)
				err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					for i := range results {
						task := g.Go(func(ctx context.Context) error {
							tick, err := ticker.Next(ctx)
							results[i] = verdict(tick.Sub(wall).String(), err)
							if at == 10 && err == nil && Facade(l).Time() == 10 {
								results[i] = "tick"
							}
							return nil
						})
						if i == 0 {
							victim = task
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
				want := []string{"10ns", "10ns"}
				if at == 10 {
					want = []string{"tick", "tick"}
				}
				if at < 10 {
					want = tickerModel(order, stop, reset, cancel)
				}
				if !slices.Equal(results, want) {
					t.Errorf("%v at %d: got %v, want %v", order, at, results, want)
				}
				return nil
			})
		})
	}
}

// tickerModel returns what two waiters get when these acts come in one turn, of
// which the third is the first one's cancellation. A Reset makes both look
// again, when they have run: a cancellation is seen first then, and a Stop next.
func tickerModel(order []int, stop, reset, cancel int) []string {
	got := []string{"10ns", "10ns"}
	looks := false
	for _, act := range order {
		for i := range got {
			settled := got[i] == "closed" || got[i] == "cancel"
			switch {
			case act == stop && !settled:
				got[i] = "closed"
			case act == cancel && i == 0 && (!settled || looks):
				got[i] = "cancel"
			case act == reset && !settled:
				got[i] = "25ns"
			}
		}
		looks = looks || act == reset && got[1] == "25ns"
	}
	return got
}

func TestTickerMisuse(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		ticker := NewTicker(ctx, 10)
		ticker.Stop()
		if _, err := ticker.Next(ctx); err != ErrClosed {
			t.Errorf("stopped: %v", err)
		}
		ticker.Reset(5)
		if _, err := ticker.Next(ctx); err != nil || Facade(l).Time() != 5 {
			t.Errorf("started again: %v at %v", err, Facade(l).Time())
		}
		if _, err := ticker.Next(doneCtx(ctx)); !errors.Is(err, errBoom) {
			t.Errorf("under a ctx that is done: %v", err)
		}
		for _, d := range []time.Duration{0, -1} {
			wantPanic(t, "NewTicker with an interval", func() { NewTicker(ctx, d) })
			wantPanic(t, "Ticker.Reset with an interval", func() { ticker.Reset(d) })
		}
		wantPanic(t, "NewTicker outside a task", func() { NewTicker(context.Background(), 1) })
		for name, f := range map[string]func(){
			"NewTicker": func() { NewTicker(ctx, 1) }, "Ticker.Reset": func() { ticker.Reset(1) },
			"Ticker.Stop": ticker.Stop, "Ticker.Next": func() { ticker.Next(ctx) },
		} {
			if got := elsewhere(f); got == "" {
				t.Errorf("%s from another goroutine: no panic", name)
			}
		}
		long := NewTicker(ctx, core.MaxTime)
		if long.due != int64(core.MaxTime) {
			t.Errorf("due at %d", long.due)
		}
		return nil
	})
}

func TestTickerAllocatesNothing(t *testing.T) {
	var ticker *Ticker
	allocsPerRun(t, 0, func(ctx context.Context) {
		if ticker == nil || ticker.loop != core.Nearest(ctx).Loop() {
			ticker = NewTicker(ctx, time.Second)
		}
		ticker.Next(ctx)
	})
}

// SleepUntil goes by the loop's clock: exactly, and at once for what is past.
func TestSleepUntil(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		for _, d := range []time.Duration{-time.Hour, -1, 0, 1, time.Millisecond, time.Hour} {
			began, turned := Facade(l).Time(), false
			Facade(l).CallSoon(func() { turned = true })
			if err := SleepUntil(ctx, Now(ctx).Add(d)); err != nil || Facade(l).Time()-began != max(0, d) || !turned {
				t.Errorf("%v: took %v, %v, turned %v", d, Facade(l).Time()-began, err, turned)
			}
		}
		if err := SleepUntil(ctx, time.Time{}); err != nil {
			t.Error("until the zero time:", err)
		}
		Scope(ctx, func(ctx context.Context, s *CancelScope) error {
			Facade(l).CallLater(time.Second, func() { s.Cancel(errBoom) })
			if err := SleepUntil(ctx, Now(ctx).Add(time.Hour)); !errors.Is(err, errBoom) {
				t.Errorf("cancelled: %v", err)
			}
			if err := SleepUntil(ctx, time.Time{}); !errors.Is(err, errBoom) {
				t.Errorf("under a ctx that is done: %v", err)
			}
			return nil
		})
		return nil
	})
	runReal(t, func(ctx context.Context) error {
		until := time.Now().Add(2 * time.Millisecond)
		err := SleepUntil(ctx, until)
		if now := time.Now(); now.Before(until) {
			t.Errorf("early by %v", until.Sub(now))
		}
		return err
	})
}
