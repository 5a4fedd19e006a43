package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Every order, within one turn, of Cancel, a cancellation from around the group
// and the failure of a task; with and without a cause, for every way of the
// group's function to end.
func TestGroupCancelInEveryOrder(t *testing.T) {
	const inside, outside, failure = 0, 1, 2
	errCause, errBody := errors.New("cause"), errors.New("body")
	bodies := map[string]func(err error) error{
		"echo":  func(err error) error { return err },
		"wraps": wrap,
		"nil":   func(error) error { return nil },
		"fails": func(error) error { return errBody },
	}
	permutations(3, func(order []int) {
		for body, end := range bodies {
			for _, cause := range []error{nil, errCause} {
				name := fmt.Sprintf("%v, cause %v, body %s", order, cause, body)
				first, failed, outer := -1, false, false
				for _, act := range order {
					switch {
					case act == failure:
						failed = first < 0
					case first < 0:
						first = act
					}
					outer = outer || act == outside
				}
				var want []error
				if first == inside && cause != nil {
					want = append(want, cause)
				}
				if failed {
					want = append(want, errOther)
				}
				if body == "fails" {
					want = append(want, errBody)
				}
				if len(want) == 0 && outer {
					want = append(want, errBoom)
				}
				err, canceled := cancelGroup(t, order, cause, end)
				for _, e := range []error{errCause, errOther, errBody, errBoom} {
					wanted := false
					for _, w := range want {
						wanted = wanted || e == w
					}
					if errors.Is(err, e) != wanted {
						t.Errorf("%s: got %v, want %v", name, err, want)
					}
				}
				if len(want) == 0 && err != nil {
					t.Errorf("%s: got %v, want nil", name, err)
				}
				if canceled != (first == inside) {
					t.Errorf("%s: Cancel returned %v", name, canceled)
				}
			}
		}
	})
}

func cancelGroup(t *testing.T, order []int, cause error, end func(error) error) (err error, canceled bool) {
	t.Helper()
	run(t, func(ctx context.Context) error {
		var fail Event
		Scope(ctx, func(ctx context.Context, outer *CancelScope) error {
			err = Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				acts := []func(){func() { canceled = g.Cancel(cause) }, func() { outer.Cancel(errBoom) }, fail.Set}
				l := core.Nearest(ctx).Loop()
				for _, i := range order {
					Facade(l).CallLater(time.Second, acts[i])
				}
				g.Go(func(ctx context.Context) error {
					if err := fail.Wait(ctx); err != nil {
						return err
					}
					return errOther
				})
				for range 2 {
					g.Go(func(ctx context.Context) error { return Sleep(ctx, 3*time.Second) })
				}
				return end(Sleep(ctx, 2*time.Second))
			})
			return nil
		})
		return nil
	})
	return err, canceled
}

// Cancel of a group that is over, or cancelled already, does nothing; and one
// from a callback or a task ends all that the group holds back.
func TestGroupCancelTwice(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var g *TaskGroup
		called := 0
		err := Group(ctx, func(ctx context.Context, group *TaskGroup) error {
			g = group
			g.SetLimit(1)
			for range 3 {
				g.Go(func(ctx context.Context) error { called++; return Sleep(ctx, time.Hour) })
			}
			Yield(ctx)
			if !g.Cancel(nil) || g.Cancel(errBoom) {
				t.Error("cancelled twice, or not at all")
			}
			return ctx.Err()
		})
		if err != nil || called != 3 || g.Cancel(nil) {
			t.Errorf("%v, %d called", err, called)
		}
		if elsewhere(func() { g.Cancel(nil) }) == "" {
			t.Error("no panic on another goroutine")
		}
		return nil
	})
}
