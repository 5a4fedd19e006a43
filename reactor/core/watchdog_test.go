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
			reactor.Sleep(ctx, 5*after)
			asleep = core.Looks()-before <= 2
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
