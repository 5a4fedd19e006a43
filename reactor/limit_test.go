package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// Never more than the limit run at a time, and they start in order.
func TestGroupLimit(t *testing.T) {
	for _, limit := range []int{-1, 1, 2, 3, 4} {
		running, most, next := 0, 0, 0
		run(t, func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.SetLimit(limit)
				for i := range 12 {
					g.Go(func(ctx context.Context) error {
						if next != i {
							t.Errorf("limit %d: %d started, want %d", limit, i, next)
						}
						next++
						running++
						most = max(most, running)
						defer func() { running-- }()
						return Sleep(ctx, time.Duration(1+i*5%7)*time.Second)
					})
				}
				return nil
			})
		})
		want := limit
		if limit < 0 {
			want = 12
		}
		if most != want || next != 12 {
			t.Errorf("limit %d: %d ran at a time, %d in all", limit, most, next)
		}
	}
}

// Tasks that a task adds wait in the same queue.
func TestGroupLimitOfTasksThatAddTasks(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.SetLimit(1)
			for _, name := range []string{"a", "b"} {
				g.Go(func(ctx context.Context) error {
					tr.add("%s", name)
					g.Go(func(ctx context.Context) error { tr.add("%s'", name); return Yield(ctx) })
					return Yield(ctx)
				})
			}
			return nil
		})
	})
	tr.want(t, "a b a' b'")
}

// A task that is cancelled while it is held back still starts, in its turn,
// with a ctx that is done; tasks that await it get the error then.
func TestGroupLimitCancelHeld(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.SetLimit(1)
			body := func(name string) func(ctx context.Context) error {
				return func(ctx context.Context) error {
					err := Sleep(ctx, time.Second)
					tr.add("%s:%v", name, errors.Is(err, errBoom))
					return err
				}
			}
			g.Go(body("a"))
			b := g.Go(body("b"))
			g.Go(body("c"))
			if !b.Cancel(errBoom) || b.Finished() {
				t.Error("not cancelled, or over at once")
			}
			if err := b.Wait(ctx); !errors.Is(err, errBoom) {
				t.Error(err)
			}
			return nil
		})
	})
	tr.want(t, "a:false b:true c:false")
}

// A failure, or a panic, of one lets the others pass, cancelled.
func TestGroupLimitAndFailure(t *testing.T) {
	for _, fail := range []func() error{func() error { return errBoom }, func() error { panic(errBoom) }} {
		ended := 0
		run(t, func(ctx context.Context) error {
			err := Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.SetLimit(2)
				for i := range 6 {
					g.Go(func(ctx context.Context) error {
						if i == 1 {
							return fail()
						}
						defer func() { ended++ }()
						return Sleep(ctx, time.Hour)
					})
				}
				return nil
			})
			if !errors.Is(err, errBoom) || ended != 5 {
				t.Errorf("%v, %d ended", err, ended)
			}
			if now := LoopOf(ctx).Time(); now != 0 {
				t.Errorf("it took until %v", now)
			}
			return nil
		})
	}
}

// A task made by Start runs at once, regardless of the limit, but counts for
// others.
func TestGroupLimitAndStart(t *testing.T) {
	running, most := 0, 0
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.SetLimit(2)
			for range 6 {
				g.Go(func(ctx context.Context) error {
					running++
					most = max(most, running)
					defer func() { running-- }()
					return Sleep(ctx, time.Second)
				})
			}
			_, err := Start(ctx, g, func(ctx context.Context, started func(int)) error {
				started(1)
				return Sleep(ctx, time.Hour)
			})
			Sleep(ctx, time.Second)
			Yield(ctx)
			if running > 1 {
				t.Errorf("%d run beside the one that Start made", running)
			}
			return err
		})
	})
	if most != 2 {
		t.Errorf("%d ran at a time", most)
	}
}

func TestGroupLimitChanged(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			running := 0
			for range 20 {
				g.Go(func(ctx context.Context) error {
					running++
					defer func() { running-- }()
					return Sleep(ctx, time.Second)
				})
				g.SetLimit(3) // too late for the first, which runs anyway
			}
			for _, step := range []struct{ limit, want int }{{3, 3}, {1, 1}, {4, 4}, {-1, 17}} {
				if g.SetLimit(step.limit); step.limit == 1 {
					Sleep(ctx, time.Second)
				}
				if yields(ctx, 2); running != step.want {
					t.Errorf("after SetLimit(%d): %d run, want %d", step.limit, running, step.want)
				}
			}
			return nil
		})
	})
}

// A held task is neither lost nor run when the loop ends under it.
func TestGroupLimitAtTheLoopsEnd(t *testing.T) {
	var ended []string
	run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.SetLimit(1)
				for i := range 3 {
					g.Go(func(ctx context.Context) error {
						err := Sleep(ctx, time.Hour)
						ended = append(ended, fmt.Sprint(i, ctx.Err()))
						return err
					})
				}
				return nil
			})
		})
		Yield(ctx)
		Yield(ctx)
		return nil
	})
	if fmt.Sprint(ended) != "[0 context canceled 1 context canceled 2 context canceled]" {
		t.Errorf("ended: %q", ended)
	}
}

func TestGroupLimitOfNone(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			wantPanic(t, "a negative limit is none", func() { g.SetLimit(0) })
			return nil
		})
	})
}
