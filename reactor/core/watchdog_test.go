package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// While all loops sleep nobody looks.
func TestWatchdogSleeps(t *testing.T) {
	const after = 10 * time.Millisecond
	o := reactor.Options{BlockedAfter: after, OnBlocked: func(reactor.Report) {}}
	err := runWith(t, context.Background(), o, func(ctx context.Context) error {
		asleep := false
		for try := 0; try < 100 && !asleep; try++ {
			before := core.Looks()
			reactor.Sleep(ctx, 10*after)
			asleep = core.Looks()-before <= 4
		}
		if !asleep {
			t.Error("looks at a loop that sleeps, again and again")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// It looks no more often than it has to at a loop that sleeps briefly again and again,
// whose every sleep could wake it.
func TestWatchdogLooksSeldom(t *testing.T) {
	const after = 10 * time.Millisecond
	o := reactor.Options{BlockedAfter: after, OnBlocked: func(reactor.Report) {}}
	err := runWith(t, context.Background(), o, func(ctx context.Context) error {
		before, start := core.Looks(), time.Now()
		for time.Since(start) < 10*after {
			reactor.Sleep(ctx, 50*time.Microsecond)
		}
		most := int64(time.Since(start)/(after/2)) + 5
		if n := core.Looks() - before; n > most {
			t.Errorf("looked %d times, want %d at most", n, most)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
