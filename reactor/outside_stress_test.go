package reactor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// Eight goroutines call a loop in all possible ways, while it starts, runs and
// ends, over and over. Accepted calls are executed or answered; late ones are
// refused.
func TestTheOutsideWhileLoopsStartAndEnd(t *testing.T) {
	budget := time.Second
	if testing.Short() {
		budget = 100 * time.Millisecond
	}
	defer testkit.LeakCheck(t)()
	rounds := 0
	var total tally
	for began := time.Now(); time.Since(began) < budget && !t.Failed(); rounds++ {
		outsideRound(t, rounds, &total)
	}
	t.Logf("%d rounds: %s", rounds, &total)
}

// A tally counts what happened to the messages.
type tally struct{ posted, refused, submitted, late, received, threads atomic.Int64 }

func (n *tally) String() string {
	return fmt.Sprintf("%d posted, %d refused, %d submitted, %d too late, %d received, %d in threads",
		n.posted.Load(), n.refused.Load(), n.submitted.Load(), n.late.Load(), n.received.Load(), n.threads.Load())
}

func outsideRound(t *testing.T, round int, total *tally) {
	var senders sync.WaitGroup
	values := make(chan int)
	over := make(chan struct{})
	var seen atomic.Int64 // posted functions that were called
	posted := total.posted.Load()
	err := (setup{}).runInACrowd(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		for i := range 8 {
			senders.Go(func() { outsider(t, l, i, values, over, &seen, total) })
		}
		for range 1 + round%5 {
			if _, ok, err := Receive(ctx, values); !ok || err != nil {
				return fmt.Errorf("received %v, %v", ok, err)
			}
			total.received.Add(1)
			n, err := ToThread(ctx, func(context.Context) (int, error) { total.threads.Add(1); return round, nil })
			if n != round || err != nil {
				return fmt.Errorf("the thread returned %d, %v", n, err)
			}
		}
		for range 3 { // these are cancelled by the end
			Go(ctx, func(ctx context.Context) error { _, _, err := Receive(ctx, values); return err })
		}
		return Yield(ctx)
	})
	close(over)
	senders.Wait()
	if err != nil {
		t.Error(err)
	}
	if posted = total.posted.Load() - posted; seen.Load() > posted {
		t.Errorf("%d posted, %d called", posted, seen.Load())
	}
}

// runInACrowd is run without the leak check, which would count the test's own goroutines.
func (s setup) runInACrowd(t *testing.T, main func(ctx context.Context) error) error {
	var l *core.Loop
	s, j := s.prepare()
	err := s.Options.Run(s.ctx, func(ctx context.Context) error {
		l = core.Nearest(ctx).Loop()
		return main(ctx)
	})
	checkEnd(t, l, false)
	for _, line := range j.all() {
		t.Error("logged: " + line)
	}
	return err
}

// outsider calls the loop until it has ended and refuses.
func outsider(t *testing.T, l *Loop, i int, values chan<- int, over <-chan struct{}, seen *atomic.Int64, total *tally) {
	for n := 0; ; n++ {
		switch (i + n) % 3 {
		case 0:
			if err := l.Post(func() { seen.Add(1) }); err == nil {
				total.posted.Add(1)
				continue
			} else if err != ErrLoopClosed {
				t.Error(err)
			}
			total.refused.Add(1)
			return
		case 1:
			wait := Submit(l, func(ctx context.Context) (int, error) { return n, Yield(ctx) })
			switch v, err := wait(context.Background()); {
			case err == nil && v == n:
				total.submitted.Add(1)
			case err == nil:
				t.Errorf("submitted %d, got %d", n, v)
			default:
				total.late.Add(1) // cancelled by the end, or refused
			}
		case 2:
			select {
			case values <- n:
			case <-over:
			}
		}
	}
}
