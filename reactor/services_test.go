package reactor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// groupEnds are the ways for a group to end, with what Group then returns.
var groupEnds = map[string]struct {
	end  func(ctx context.Context, g *TaskGroup, outer *CancelScope) error // what the body does after a second
	task error                                                             // what a task ends with after two seconds
	want error
}{
	"success":         {nil, nil, nil},
	"a task fails":    {nil, errBoom, errBoom},
	"the body fails":  {func(context.Context, *TaskGroup, *CancelScope) error { return errBoom }, nil, errBoom},
	"the body panics": {func(context.Context, *TaskGroup, *CancelScope) error { panic(errBoom) }, nil, errBoom},
	"Cancel": {func(_ context.Context, g *TaskGroup, _ *CancelScope) error {
		g.Cancel(nil)
		return nil
	}, nil, nil},
	"Cancel with a cause": {func(ctx context.Context, g *TaskGroup, _ *CancelScope) error {
		g.Cancel(errBoom)
		return Yield(ctx)
	}, nil, errBoom},
	"cancelled from around": {func(ctx context.Context, g *TaskGroup, outer *CancelScope) error {
		outer.Cancel(errBoom)
		return Yield(ctx)
	}, nil, errBoom},
	"out of time": {func(_ context.Context, g *TaskGroup, outer *CancelScope) error {
		return outer.SetTimeout(time.Millisecond)
	}, nil, context.DeadlineExceeded},
	"a service fails": {func(_ context.Context, g *TaskGroup, _ *CancelScope) error {
		g.GoService(func(context.Context) error { return errBoom })
		return nil
	}, nil, errBoom},
}

// However a group ends, its services run until the last other task has cleaned
// up, and Group returns when the services have cleaned up.
func TestServicesEndLast(t *testing.T) {
	for name, c := range groupEnds {
		for _, limit := range []int{-1, 1} {
			for _, supervised := range []bool{false, true} {
				if supervised && name == "a task fails" || supervised && name == "a service fails" {
					continue // that does not end the group
				}
				t.Run(fmt.Sprintf("%s, limit %d, supervised %v", name, limit, supervised), func(t *testing.T) {
					serveUntilLast(t, c.end, c.task, c.want, limit, supervised)
				})
			}
		}
	}
}

func serveUntilLast(t *testing.T, end func(context.Context, *TaskGroup, *CancelScope) error, fails, want error, limit int, supervised bool) {
	var tr trace
	group := Group
	if supervised {
		group = Supervisor{}.Group
	}
	run(t, func(ctx context.Context) error {
		var requests Queue[*Future[int]]
		ask := func(ctx context.Context) error {
			var answer Future[int]
			if err := requests.Put(ctx, &answer); err != nil {
				return err
			}
			_, err := answer.Await(ctx)
			return err
		}
		service := func(ctx context.Context) error {
			for {
				r, err := requests.Get(ctx)
				if err != nil {
					tr.add("stopping")
					Sleep(context.WithoutCancel(ctx), time.Second)
					tr.add("stopped")
					return err
				}
				r.SetResult(0)
			}
		}
		err := Scope(ctx, func(ctx context.Context, outer *CancelScope) (err error) {
			defer func() {
				if r := recover(); r != nil {
					err = r.(error)
				}
			}()
			return group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.SetLimit(limit)
				for range 2 {
					g.GoService(service)
				}
				for i := range 3 {
					g.Go(func(ctx context.Context) error {
						err := Sleep(ctx, 2*time.Second)
						for range 3 {
							Sleep(context.WithoutCancel(ctx), time.Second)
							if err := ask(context.WithoutCancel(ctx)); err != nil {
								t.Error(err)
							}
						}
						tr.add("%s", []string{"a", "b", "c"}[min(2, len(tr))])
						if i == 0 && err == nil {
							return fails
						}
						return err
					})
				}
				Sleep(ctx, time.Second)
				if end != nil {
					return end(ctx, g, outer)
				}
				return nil
			})
		})
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("Group returned %v, want %v", err, want)
		}
		if requests.getters.Len() != 0 || requests.Len() != 0 {
			t.Error("a request, or a service, is left")
		}
		checkNow(t, core.Nearest(ctx).Loop())
		return nil
	})
	tr.want(t, "a b c stopping stopping stopped stopped")
}

// When main returns, the groups of other tasks end in the same order.
func TestServicesEndLastAtTheLoopsEnd(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.GoService(func(ctx context.Context) error {
					err := Sleep(ctx, time.Hour)
					tr.add("service: %v", strings.Contains(err.Error(), "its main function has returned"))
					return err
				})
				err := Sleep(ctx, time.Hour)
				Sleep(context.WithoutCancel(ctx), time.Second)
				tr.add("body")
				return err
			})
		})
		return Sleep(ctx, time.Second)
	})
	tr.want(t, "body service: true")
}

// A service may return, fail in its cleanup, be cancelled separately, and add
// tasks as it ends; it sees the group's values, but no deadline.
func TestServiceAlone(t *testing.T) {
	type key struct{}
	for name, c := range map[string]struct {
		f    func(ctx context.Context, g *TaskGroup) error
		want error
	}{
		"returns early": {func(context.Context, *TaskGroup) error { return nil }, nil},
		"fails in its cleanup": {func(ctx context.Context, _ *TaskGroup) error {
			Sleep(ctx, time.Hour)
			return errOther
		}, errOther},
		"panics": {func(ctx context.Context, _ *TaskGroup) error { panic(errOther) }, errOther},
		"adds a task as it ends": {func(ctx context.Context, g *TaskGroup) error {
			err := Sleep(ctx, time.Hour)
			g.Go(func(ctx context.Context) error { return errOther })
			return err
		}, errOther},
		"adds a service as it ends": {func(ctx context.Context, g *TaskGroup) error {
			err := Sleep(ctx, time.Hour)
			g.GoService(func(ctx context.Context) error {
				if Yield(ctx) == nil {
					t.Error("its ctx is not done")
				}
				return errOther
			})
			return err
		}, errOther},
		"knows the values": {func(ctx context.Context, _ *TaskGroup) error {
			if _, ok := ctx.Deadline(); ok || ctx.Value(key{}) != 7 {
				t.Errorf("a deadline: %v, value %v", ok, ctx.Value(key{}))
			}
			err := Sleep(ctx, time.Hour)
			if Cause(ctx) != errServed {
				t.Errorf("cause %v", Cause(ctx))
			}
			return err
		}, nil},
	} {
		run(t, func(ctx context.Context) error {
			err := Timeout(context.WithValue(ctx, key{}, 7), time.Hour, func(ctx context.Context) error {
				return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					g.GoService(func(ctx context.Context) error { return c.f(ctx, g) })
					g.GoService(func(ctx context.Context) error { return Sleep(ctx, time.Hour) }).Cancel(nil)
					return Sleep(ctx, time.Second)
				})
			})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
	}
	run(t, func(ctx context.Context) error {
		var g *TaskGroup
		Group(ctx, func(ctx context.Context, group *TaskGroup) error {
			g = group
			wantPanic(t, "GoService with a nil function", func() { g.GoService(nil) })
			if elsewhere(func() { g.GoService(func(context.Context) error { return nil }) }) == "" {
				t.Error("no panic on another goroutine")
			}
			return nil
		})
		if err := g.GoService(func(context.Context) error { return nil }).Wait(ctx); err != ErrGroupClosed {
			t.Errorf("in a group that has ended: %v", err)
		}
		return nil
	})
}
