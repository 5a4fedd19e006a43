package reactor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func raise(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		t.Fatal(err)
	}
}

// guardSignals keeps SIGUSR1 and 2 from killing the test without a handler; and
// os/signal's own goroutine, once started, stays.
func guardSignals(t *testing.T) {
	guard := make(chan os.Signal, 8)
	signal.Notify(guard, syscall.SIGUSR1, syscall.SIGUSR2)
	t.Cleanup(func() { signal.Stop(guard) })
}

func TestOnSignal(t *testing.T) {
	guardSignals(t)
	runReal(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var arrived Event
		var got []os.Signal
		stop := OnSignal(ctx, func(sig os.Signal) {
			checkNow(t, l) // on the loop's thread
			got = append(got, sig)
			arrived.Set()
		}, syscall.SIGUSR1, syscall.SIGUSR2)
		other := 0
		stopOther := OnSignal(ctx, func(os.Signal) { other++; arrived.Set() }, syscall.SIGUSR2)
		for i, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGUSR1} {
			for raise(t, sig); len(got) <= i || other < min(i, 1); {
				arrived.Wait(ctx) // no deadlock: a signal may come
				arrived.Clear()
			}
			if got[i] != sig {
				t.Errorf("got %v, want %v", got[i], sig)
			}
		}
		stop()
		stop()
		for raise(t, syscall.SIGUSR2); other < 2; {
			arrived.Wait(ctx)
			arrived.Clear()
		}
		stopOther()
		if len(got) != 3 {
			t.Errorf("called after stop: %v", got)
		}
		return nil
	})
}

// After stop the signal is no longer handled.
func TestOnSignalStopsNotifying(t *testing.T) {
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGUSR1)
	defer signal.Stop(guard)
	runReal(t, func(ctx context.Context) error {
		stop := OnSignal(ctx, func(os.Signal) {}, syscall.SIGUSR1)
		for h := range LoopOf(ctx).signals {
			stop()
			raise(t, syscall.SIGUSR1)
			<-guard
			signal.Stop(guard) // os/signal tells all in one go, and Stop waits for that
			if len(h.ch) != 0 {
				t.Error("a handler that was stopped still gets signals")
			}
		}
		return nil
	})
}

// A callback may stop its own handler; a panic in it is reported, and ends
// nothing.
func TestOnSignalStopsItselfAndPanics(t *testing.T) {
	guardSignals(t)
	var told reports
	setup{Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
		var done Event
		calls := 0
		var stop func()
		stop = OnSignal(ctx, func(os.Signal) {
			if calls++; calls == 1 {
				raise(t, syscall.SIGUSR1)
				panic(errBoom)
			}
			stop()
			done.Set()
		}, syscall.SIGUSR1)
		raise(t, syscall.SIGUSR1)
		return done.Wait(ctx)
	})
	if len(told) != 1 || !errors.Is(told[0].Err, errBoom) {
		t.Errorf("told %v", told)
	}
}

// The loop's end ends the handlers that are left, and does not wait for signals.
func TestOnSignalAtTheLoopsEnd(t *testing.T) {
	guardSignals(t)
	for range 20 {
		over := false
		runReal(t, func(ctx context.Context) error {
			for range 3 {
				OnSignal(ctx, func(os.Signal) {
					if over {
						t.Error("called when the loop was over")
					}
				}, syscall.SIGUSR1)
			}
			raise(t, syscall.SIGUSR1)
			return Sleep(ctx, 10*time.Microsecond)
		})
		over = true
	}
}

func TestOnSignalMisuse(t *testing.T) {
	guardSignals(t)
	wantPanic(t, "outside a task", func() { OnSignal(context.Background(), func(os.Signal) {}) })
	runReal(t, func(ctx context.Context) error {
		wantPanic(t, "nil function", func() { OnSignal(ctx, nil) })
		if elsewhere(func() { OnSignal(ctx, func(os.Signal) {}) }) == "" {
			t.Error("no panic on another goroutine")
		}
		stop := OnSignal(ctx, func(os.Signal) {}, syscall.SIGUSR1)
		if elsewhere(stop) == "" {
			t.Error("stopped from another goroutine")
		}
		stop()
		return nil
	})
}
