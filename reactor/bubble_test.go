package reactor

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/eddyio/eddy/reactor/core"
)

// A Run in a bubble would hang; it returns an error, unless it has a clock of
// its own.
func TestRunInABubble(t *testing.T) {
	main := func(ctx context.Context) error { return Yield(ctx) }
	synctest.Test(t, func(t *testing.T) {
		if err := Run(context.Background(), main); err != ErrBubble {
			t.Errorf("Run: %v", err)
		}
		v := newWorld(t)
		if err := (Options{Clock: v, Poller: v}).Run(context.Background(), main); err != nil {
			t.Errorf("Run with a clock: %v", err)
		}
	})
	if core.InBubble() {
		t.Error("there is no bubble")
	}
}
