package core_test

import (
	"context"
	"testing"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A task of which nobody knows but the lock that it holds is not used again for a
// Dormant's next run.
func TestHolderIsKnown(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m reactor.Mutex
		return reactor.GoNow(ctx, func(ctx context.Context) error {
			me := core.Nearest(ctx).Loop().Running()
			before := me.Unknown()
			m.Lock(ctx)
			if !before || me.Unknown() {
				t.Errorf("unknown before: %v, and while it holds the lock: %v", before, me.Unknown())
			}
			m.Unlock()
			if !me.Unknown() {
				t.Error("it is known after it has unlocked")
			}
			return nil
		}).Wait(ctx)
	})
}
