package core_test

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// Followers come and go, in every order, and the list stays right.
func TestFollowersList(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s := core.Nearest(ctx)
		var tasks []*reactor.Task[struct{}]
		for range 5 {
			c, cancel := context.WithCancel(ctx)
			defer cancel()
			tasks = append(tasks, reactor.Go(c, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) }))
		}
		reactor.Yield(ctx)
		for left, i := range []int{2, 0, 4, 1, 3} {
			tasks[i].Cancel(nil)
			tasks[i].Wait(ctx)
			if n, right := s.Followers(); n != 4-left || !right {
				t.Errorf("%d followers after %d have gone, in a list that is right: %v", n, left+1, right)
			}
		}
		return nil
	})
}
