package core_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// An event that was under way when its fd was closed wakes nobody, though the
// number and the slot have an owner again.
func TestAStaleEventWakesNobody(t *testing.T) {
	v := virtual.New(t)
	err := runWith(t, context.Background(), reactor.Options{Clock: v, Poller: v}, func(ctx context.Context) error {
		var a, b core.FD
		if err := a.OpenKind(ctx, 5, &core.FDKind{Close: func(int) error { return nil }}); err != nil {
			return err
		}
		v.Tell(5, eddy.Readable|eddy.Hangup) // on its way
		slot := a.Slot()
		a.Close()
		if err := b.OpenKind(ctx, 5, &core.FDKind{Close: func(int) error { return nil }}); err != nil || b.Slot() != slot {
			t.Fatalf("%v, or another slot: the test proves nothing", err)
		}
		err := reactor.Timeout(ctx, time.Second, func(context.Context) error { return b.WaitRead() })
		if !errors.Is(err, context.DeadlineExceeded) || b.Undrained() {
			t.Errorf("woken: %v", err)
		}
		core.Nearest(ctx).Loop().Dispatch(eddy.Event{Token: 1 << 20, Ready: eddy.Readable}) // no such slot
		return b.Close()
	})
	if err != nil {
		t.Error(err)
	}
}
