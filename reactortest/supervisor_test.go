package reactortest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// The pauses of a supervisor are the seed's choice: one seed has the same ones in
// each run, and seeds differ.
func TestSupervisorPausesBySeed(t *testing.T) {
	var runs [][]time.Duration // two of each seed
	reactortest.Options{Twice: true}.Simulate(t, func(ctx context.Context, _ *network) {
		var pauses []time.Duration
		s := reactor.Supervisor{Restart: true, OnFailure: func(reactor.AnyTask, error) {}}
		last := now(ctx)
		s.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				pauses = append(pauses, now(ctx)-last)
				if last = now(ctx); len(pauses) < 5 {
					return errors.New("once more")
				}
				return nil
			})
			return nil
		})
		runs = append(runs, pauses)
	}, 1, 2)
	if len(runs) != 4 || !slices.Equal(runs[0], runs[1]) || !slices.Equal(runs[2], runs[3]) || slices.Equal(runs[0], runs[2]) {
		t.Errorf("pauses %v", runs)
	}
}
