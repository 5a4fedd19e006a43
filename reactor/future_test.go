package reactor

import (
	"context"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// asyncio case 12.
func TestFuture(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var f Future[string]
		if _, err := f.Result(); err != ErrNotDone || f.Finished() {
			t.Errorf("pending: %v", err)
		}
		if err := f.SetError(nil); err == nil || f.Finished() {
			t.Error("a nil error was accepted")
		}
		if err := f.SetResult("x"); err != nil || !f.Finished() {
			t.Errorf("set: %v", err)
		}
		if f.SetResult("y") != ErrSet || f.SetError(errBoom) != ErrSet {
			t.Error("set twice")
		}
		if v, err := f.Result(); v != "x" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		var bad Future[int]
		bad.SetError(errBoom)
		if _, err := bad.Await(ctx); err != errBoom {
			t.Errorf("failed: %v", err)
		}
		return nil
	})
}

func TestFutureWakesAllInOrder(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var f Future[int]
		var tr trace
		for i := range 5 {
			Go(ctx, func(ctx context.Context) error {
				v, err := f.Await(ctx)
				tr.add("%d:%d:%v", i, v, err)
				return nil
			})
		}
		yields(ctx, 2)
		Facade(l).CallLater(time.Second, func() { f.SetResult(7) })
		Sleep(ctx, 2*time.Second)
		tr.want(t, "0:7:<nil> 1:7:<nil> 2:7:<nil> 3:7:<nil> 4:7:<nil>")
		return nil
	})
}

func TestFutureSetFromAnotherGoroutineIsNoticed(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		var f Future[int]
		Go(ctx, waitForever(&f))
		yields(ctx, 2)
		ToThread(ctx, func(context.Context) (int, error) {
			if panics(func() { f.SetResult(1) }) == "" {
				t.Error("not noticed")
			}
			return 0, nil
		})
		return f.SetResult(1)
	})
}
