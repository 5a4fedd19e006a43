package reactor

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"
)

// joinWays are all that wait for other tasks' ends, here for several of which each must
// end.
var joinWays = map[string]func(ctx context.Context, tasks ...*Task[struct{}]) error{
	"Task.Wait": func(ctx context.Context, tasks ...*Task[struct{}]) error {
		for _, t := range tasks {
			if err := t.Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	},
	"Task.Await": func(ctx context.Context, tasks ...*Task[struct{}]) error {
		for _, t := range tasks {
			if _, err := t.Await(ctx); err != nil {
				return err
			}
		}
		return nil
	},
	"Wait": func(ctx context.Context, tasks ...*Task[struct{}]) error {
		_, _, err := Wait(ctx, AllDone, anyTasks(tasks)...)
		return err
	},
	"AsCompleted": func(ctx context.Context, tasks ...*Task[struct{}]) error {
		for _, err := range AsCompleted(ctx, tasks...) {
			if err != nil {
				return err
			}
		}
		return nil
	},
}

func anyTasks(tasks []*Task[struct{}]) (as []AnyTask) {
	for _, t := range tasks {
		as = append(as, t)
	}
	return as
}

// A task that waits for itself, or for one that waits for it, gets an error at once,
// and the others go on.
func TestWaitCycles(t *testing.T) {
	for name, wait := range joinWays {
		for other, wait2 := range joinWays {
			for n := 1; n <= 4; n++ {
				run(t, func(ctx context.Context) error {
					tasks := make([]*Task[struct{}], n)
					idle := Go(ctx, func(ctx context.Context) error { return Sleep(ctx, 1) })
					refused := 0
					for i := range tasks {
						tasks[i] = Go(ctx, func(ctx context.Context) (err error) {
							next := tasks[(i+1)%n]
							if i%2 == 0 {
								err = wait(ctx, next)
							} else {
								err = wait2(ctx, idle, next)
							}
							if errors.Is(err, ErrSelf) {
								refused++
								return nil
							}
							return err
						})
					}
					for _, task := range tasks {
						if err := task.Wait(ctx); err != nil {
							t.Errorf("%s and %s, %d tasks: %v", name, other, n, err)
						}
					}
					if refused != 1 {
						t.Errorf("%s and %s, %d tasks: %d were refused", name, other, n, refused)
					}
					return nil
				})
			}
		}
	}
}

// The error names the chain.
func TestWaitCycleIsNamed(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var a, b, c *Task[struct{}]
		a = Go(ctx, func(ctx context.Context) error { return b.Wait(ctx) })
		b = Go(ctx, func(ctx context.Context) error { _, _, err := Wait(ctx, AllDone, c); return err })
		c = Go(ctx, func(ctx context.Context) error { return a.Wait(ctx) })
		for name, task := range map[string]*Task[struct{}]{"a": a, "b": b, "c": c} {
			task.SetName(name)
		}
		err := c.Wait(ctx)
		b.Wait(ctx)
		got := regexp.MustCompile(`task \d+`).ReplaceAllString(fmt.Sprint(err), "task")
		if want := "reactor: task (c) can't wait for task (a), which waits for task (b), which waits for task (c): " + ErrSelf.Error(); got != want {
			t.Errorf("got %s", got)
		}
		return nil
	})
}

// A child that waits for the task that awaits it: by a group, in either order,
// or by gathering it.
func TestChildWaitsForParent(t *testing.T) {
	for name, f := range map[string]func(ctx context.Context, me AnyTask) error{
		"a group that waits first": func(ctx context.Context, me AnyTask) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(me.Wait)
				return nil
			})
		},
		"a group that waits last": func(ctx context.Context, me AnyTask) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				g.Go(me.Wait)
				return Yield(ctx)
			})
		},
		"a group's grandchild": func(ctx context.Context, me AnyTask) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { return Go(ctx, me.Wait).Wait(ctx) })
				return nil
			})
		},
		"GatherAll": func(ctx context.Context, me AnyTask) error {
			outcomes, err := GatherAll(ctx, func(ctx context.Context) (int, error) { return 0, me.Wait(ctx) },
				func(ctx context.Context) (int, error) { return 0, Sleep(ctx, time.Hour) })
			return errors.Join(err, outcomes[0].Err)
		},
		"Gather": func(ctx context.Context, me AnyTask) error {
			_, err := Gather(ctx, func(ctx context.Context) (int, error) { return 0, Sleep(ctx, time.Second) },
				func(ctx context.Context) (int, error) { Sleep(ctx, time.Hour); return 0, me.Wait(ctx) })
			return err
		},
	} {
		run(t, func(ctx context.Context) error {
			err := Go(ctx, func(ctx context.Context) error { return f(ctx, Current(ctx)) }).Wait(ctx)
			if !errors.Is(err, ErrSelf) {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
	}
}

// A wait that ends before the cycle is closed, or that a deadline or a foreign
// context ends, does not make a cycle.
func TestNoWaitCycle(t *testing.T) {
	done := func(context.Context) error { return nil }
	for name, f := range map[string]func(ctx context.Context, me AnyTask) error{
		"the first of two": func(ctx context.Context, me AnyTask) error {
			_, _, err := Wait[AnyTask](ctx, FirstDone, me, Go(ctx, Yield))
			return err
		},
		"the first that fails": func(ctx context.Context, me AnyTask) error {
			_, _, err := Wait[AnyTask](ctx, FirstFailed, me, Go(ctx, fails(1, errBoom)))
			return err
		},
		"a deadline of the other": func(ctx context.Context, me AnyTask) error {
			other := Go(ctx, func(ctx context.Context) error { Timeout(ctx, 1, me.Wait); return nil })
			Yield(ctx)
			return other.Wait(ctx)
		},
		"a deadline of its own": func(ctx context.Context, me AnyTask) error {
			other := Go(ctx, me.Wait)
			Yield(ctx)
			if err := Timeout(ctx, 1, other.Wait); !errors.Is(err, context.DeadlineExceeded) {
				return err
			}
			other.Cancel(nil)
			return nil
		},
		"a deadline around a group": func(ctx context.Context, me AnyTask) error {
			err := Timeout(ctx, 1, func(ctx context.Context) error {
				return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					g.Go(me.Wait)
					return Yield(ctx)
				})
			})
			if errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			return err
		},
		"a foreign context": func(ctx context.Context, me AnyTask) error {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			other := Go(own, func(ctx context.Context) error { me.Wait(ctx); return nil })
			Yield(ctx)
			LoopOf(ctx).CallLater(1, cancel)
			return other.Wait(ctx)
		},
		"one that was cancelled": func(ctx context.Context, me AnyTask) error {
			other := Go(ctx, func(ctx context.Context) error { me.Wait(ctx); return nil })
			Yield(ctx)
			other.Cancel(nil)
			return other.Wait(ctx)
		},
		"those that are over": func(ctx context.Context, me AnyTask) error {
			other := Go(ctx, done)
			Yield(ctx)
			_, _, err := Wait(ctx, AllDone, other)
			return err
		},
		"a gathering that fails": func(ctx context.Context, me AnyTask) error {
			_, err := Gather(ctx, func(ctx context.Context) (int, error) { return 0, Timeout(ctx, 10, me.Wait) },
				func(ctx context.Context) (int, error) { return 0, fails(1, errBoom)(ctx) })
			if err != errBoom {
				return fmt.Errorf("got %v", err)
			}
			return nil
		},
	} {
		told := reports{}
		err := setup{world: newWorld(t), Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
			return Go(ctx, func(ctx context.Context) error {
				Yield(ctx)
				return f(ctx, Current(ctx))
			}).Wait(ctx)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A chain longer than the limit, and a cycle without the waiting task, end the
// search.
func TestCycleSearchEnds(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var never Event
		last := Go(ctx, never.Wait)
		for range 1000 {
			last = Go(ctx, last.Wait)
		}
		yields(ctx, 2)
		watcher := Go(ctx, func(ctx context.Context) error { return Timeout(ctx, time.Hour, last.Wait) })
		me := Current(ctx)
		Go(ctx, me.Wait)
		yields(ctx, 2)
		if err := Timeout(ctx, time.Second, last.Wait); !timedOut(err) {
			t.Errorf("a wait for the end of a long chain: %v", err)
		}
		never.Set()
		return watcher.Wait(ctx)
	})
}
