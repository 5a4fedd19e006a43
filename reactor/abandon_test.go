package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
)

// TestAbandonedSubmission: a wait for a task that even the loop's end can't end
// returns an error, and does not last forever.
func TestAbandonedSubmission(t *testing.T) {
	v, j := newWorld(t), new(journal)
	v.Drift = 1000000
	answer := make(chan error, 1)
	ran := make(chan error, 1)
	leaked := leakedGoroutines(t, 1)
	go func() {
		ran <- setup{world: v, log: j, leaky: true}.runLeaking(func(ctx context.Context) error {
			var begun Event
			wait := Submit(LoopOf(ctx), func(ctx context.Context) (int, error) {
				begun.Set()
				for {
					func() {
						defer func() { recover() }()
						Sleep(context.WithoutCancel(ctx), time.Hour)
					}()
				}
			})
			go func() {
				_, err := wait(context.Background())
				answer <- err
			}()
			return begun.Wait(ctx)
		})
	}()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	select {
	case err := <-answer:
		if err != ErrLoopClosed {
			t.Error(err)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("it waits for ever")
	}
	leaked()
}

// A brokenPoller fails for good once it is broken.
type brokenPoller struct {
	Poller
	broken *bool
}

var errBroken = errors.New("the poller is broken")

func (p brokenPoller) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if *p.broken {
		return nil, errBroken
	}
	return p.Poller.Wait(timeout)
}

// TestBrokenPoller: a poller that fails ends the loop, even if main is shielded
// from cancellation.
func TestBrokenPoller(t *testing.T) {
	for name, shield := range map[string]func(context.Context) context.Context{
		"main is cancelled": func(ctx context.Context) context.Context { return ctx },
		"main is shielded":  context.WithoutCancel,
	} {
		t.Run(name, func(t *testing.T) {
			kernel, err := eddy.NewPoller()
			if err != nil {
				t.Fatal(err)
			}
			broken := false
			o := Options{Poller: brokenPoller{kernel, &broken}, OnError: func(Report) {}}
			err = o.Run(context.Background(), func(ctx context.Context) error {
				broken = true
				return Sleep(shield(ctx), time.Hour)
			})
			if !errors.Is(err, errBroken) {
				t.Error(err)
			}
		})
	}
}
