package core_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// However many tasks have failed that their maker awaits later, in whichever way and
// order, none is reported, and nothing is left of them.
func TestFailuresThatAreAwaitedLater(t *testing.T) {
	const n = 1000
	for name, ask := range map[string]func(ctx context.Context, task *reactor.Task[struct{}]) error{
		"Wait":   func(ctx context.Context, task *reactor.Task[struct{}]) error { return task.Wait(ctx) },
		"Await":  func(ctx context.Context, task *reactor.Task[struct{}]) error { _, err := task.Await(ctx); return err },
		"Result": func(_ context.Context, task *reactor.Task[struct{}]) error { _, err := task.Result(); return err },
		"OnDone": func(_ context.Context, task *reactor.Task[struct{}]) error {
			task.OnDone(func() {})
			_, err := task.Result()
			return err
		},
	} {
		run(t, func(ctx context.Context) error {
			me := core.Nearest(ctx).Loop().Running()
			var tasks []*reactor.Task[struct{}]
			for i := range n {
				tasks = append(tasks, reactor.Go(ctx, func(context.Context) error { return fmt.Errorf("failure %d", i) }))
			}
			yields(ctx, 2)
			runtime.GC()
			if got := me.Unclaimed(); got != n {
				t.Errorf("%s: %d are kept", name, got)
			}
			for i := range n {
				i = i * 7 % n
				err := ask(ctx, tasks[i])
				if name != "OnDone" && (err == nil || err.Error() != fmt.Sprintf("failure %d", i)) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := me.Unclaimed(); got != 0 {
				t.Errorf("%s: %d are left", name, got)
			}
			return nil
		})
	}
}

// A failure whose task nobody can await any more is reported, though its maker lives
// on; one whose task is still held is not, until the maker ends.
func TestFailuresOfALastingMaker(t *testing.T) {
	var told reports
	held := make([]*reactor.Task[int], 10)
	v := virtual.New(t)
	runWith(t, context.Background(), reactor.Options{OnError: told.add, Clock: v, Poller: v}, func(ctx context.Context) error {
		me := core.Nearest(ctx).Loop().Running()
		for i := range held {
			held[i] = reactor.Async(ctx, func(context.Context) (int, error) { return 0, errOther })
			reactor.Go(ctx, func(context.Context) error { return errBoom })
		}
		for deadline := time.Now().Add(testkit.Patience); len(told) < len(held) && time.Now().Before(deadline); {
			runtime.GC()
			runtime.Gosched()
			reactor.Yield(ctx)
		}
		for _, r := range told {
			if r.Err != errBoom || r.What != "a task failed and nobody awaited it" || r.Task == "" {
				t.Errorf("told %v", r)
			}
		}
		if len(told) != len(held) || me.Unclaimed() != len(held) {
			t.Errorf("%d told, %d kept", len(told), me.Unclaimed())
		}
		if err := held[3].Wait(ctx); err != errOther {
			t.Error(err)
		}
		return nil
	})
	if len(told) != 2*len(held)-1 || !errors.Is(told[len(told)-1].Err, errOther) {
		t.Errorf("%d told in the end", len(told))
	}
	runtime.KeepAlive(held)
}

// A task that is collected after the loop's end is nobody's affair.
func TestFailureCollectedAfterTheLoop(t *testing.T) {
	var told reports
	v := virtual.New(t)
	runWith(t, context.Background(), reactor.Options{OnError: told.add, Clock: v, Poller: v}, func(ctx context.Context) error {
		return reactor.Go(ctx, func(ctx context.Context) error {
			reactor.Go(ctx, func(context.Context) error { return errBoom })
			return reactor.Yield(ctx)
		}).Wait(ctx)
	})
	for range 3 {
		runtime.GC()
	}
	if len(told) != 1 {
		t.Errorf("told %v", told)
	}
}
