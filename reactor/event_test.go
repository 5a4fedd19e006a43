package reactor

import (
	"context"
	"testing"

	"github.com/eddyio/eddy/reactor/core"
)

// Set and Clear together wake all waiting tasks, and no others.
func TestEventInEveryOrder(t *testing.T) {
	for _, pulse := range []bool{true, false} {
		enumerate(t, func(context.Context, int) contest {
			var e Event
			return contest{
				wait: func(ctx context.Context, i int) (string, error) { return "", e.Wait(ctx) },
				wake: func(queue []int) []outcome {
					e.Set()
					if pulse {
						e.Clear()
					}
					return everyone(queue, nil)
				},
				check: e.waiters.Check,
				done: func(ctx context.Context) string {
					if pulse && e.IsSet() {
						return "still set"
					}
					e.Set()
					if err := e.Wait(ctx); err != nil {
						return err.Error()
					}
					return ""
				},
			}
		})
	}
}

func TestEventFlag(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var e Event
		if e.IsSet() {
			t.Error("the zero Event is set")
		}
		e.Set()
		e.Set()
		turns := 0
		LoopOf(ctx).CallSoon(func() { turns++ })
		if err := e.Wait(ctx); err != nil || turns != 0 {
			t.Errorf("waiting for what is set: %v, and others ran: %d", err, turns)
		}
		e.Clear()
		if e.IsSet() {
			t.Error("Clear did not")
		}
		waiting := GoNow(ctx, e.Wait)
		if waiting.Finished() {
			t.Error("did not wait")
		}
		if got := elsewhere(e.Set); got == "" {
			t.Error("another goroutine set what a task waits for")
		}
		e.Set()
		return waiting.Wait(ctx)
	})
}

func TestEventAllocatesNothing(t *testing.T) {
	var e Event
	set := e.Set
	allocsPerRun(t, 0, func(ctx context.Context) {
		e.Clear()
		core.Nearest(ctx).Loop().Post(set)
		e.Wait(ctx)
		e.Wait(ctx)
	})
}
