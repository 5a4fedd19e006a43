package reactor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// Every order in which some of four tasks fail, by an error or a panic: the
// others go on, and each failure is reported once, to OnFailure or by the loop.
func TestSupervisedFailuresLeaveTheSiblings(t *testing.T) {
	permutations(4, func(order []int) {
		for _, called := range []bool{false, true} {
			for _, panics := range []bool{false, true} {
				var told reports
				var failures []string
				s := Supervisor{}
				if called {
					s.OnFailure = func(task AnyTask, err error) { failures = append(failures, task.String()+": "+firstLine(err)) }
				}
				ended := 0
				err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
					return s.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
						for i := range 4 {
							g.Go(func(ctx context.Context) error {
								place := slices.Index(order, i)
								if place < 0 {
									place = 9
								}
								err := Sleep(ctx, time.Duration(1+place)*time.Second)
								ended++
								switch {
								case place == 9 || err != nil:
									return err
								case panics:
									panic(fmt.Sprint("e", i))
								}
								return fmt.Errorf("e%d", i)
							}).SetName(fmt.Sprint("t", i))
						}
						return nil
					})
				})
				if !called {
					for _, r := range told {
						failures = append(failures, r.Task+": "+firstLine(r.Err))
					}
				} else if len(told) != 0 {
					t.Errorf("%v: reported %v", order, told)
				}
				var want []string
				for _, i := range order {
					text := fmt.Sprintf("e%d", i)
					if panics {
						text = fmt.Sprintf("task %d (t%d) panicked: e%d", i+2, i, i)
					}
					want = append(want, fmt.Sprintf("task %d (t%d): %s", i+2, i, text))
				}
				if err != nil || ended != 4 || !slices.Equal(failures, want) {
					t.Errorf("%v: %v, %d ended, told %q, want %q", order, err, ended, failures, want)
				}
			}
		}
	})
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// Each failure in a row doubles the pause before the next call, up to
// MaxBackoff, less a half at most; a function that had run for long begins anew.
func TestSupervisorBackoff(t *testing.T) {
	const failures = 8
	for long := range 1 << failures { // which of the calls run for long
		var began, pauses []time.Duration
		s := Supervisor{Restart: true, MinBackoff: time.Second, MaxBackoff: 10 * time.Second, OnFailure: func(AnyTask, error) {}}
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
			return s.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				last := time.Duration(0)
				g.Go(func(ctx context.Context) error {
					call := len(began)
					began = append(began, Facade(l).Time())
					if call > 0 {
						pauses = append(pauses, Facade(l).Time()-last)
					}
					if call == failures {
						return nil
					}
					if long&(1<<call) != 0 {
						Sleep(ctx, 10*time.Second)
					}
					last = Facade(l).Time()
					return errBoom
				})
				return nil
			})
		})
		backoff := time.Second
		for i, pause := range pauses {
			if long&(1<<i) != 0 {
				backoff = time.Second
			}
			if pause < backoff/2 || pause > backoff {
				t.Fatalf("%b: pause %d of %v, want %v or up to a half less", long, i, pauses, backoff)
			}
			backoff = min(2*backoff, 10*time.Second)
		}
		if len(began) != failures+1 {
			t.Fatalf("%b: called %d times", long, len(began))
		}
	}
}

// Every sequence of gaps between the failures of two tasks: the group gives up
// with the first failure that is one too many within the period, and not before.
func TestSupervisorIntensity(t *testing.T) {
	const period, failures = 10 * time.Second, 4
	gaps := []time.Duration{time.Second, 4 * time.Second, 11 * time.Second}
	for seq := range 3 * 3 * 3 * 3 {
		var times []time.Duration
		for i, rest := 0, seq; i < failures; i, rest = i+1, rest/3 {
			times = append(times, gaps[rest%3])
			if i > 0 {
				times[i] += times[i-1]
			}
		}
		for most := 1; most <= 3; most++ {
			for _, within := range []time.Duration{0, period} {
				name := fmt.Sprintf("failures at %v, at most %d within %v", times, most, within)
				failAt(t, name, times, most, within)
			}
		}
	}
}

func failAt(t *testing.T, name string, times []time.Duration, most int, within time.Duration) {
	t.Helper()
	gaveUp := slices.IndexFunc(times, func(at time.Duration) bool {
		i := slices.Index(times, at)
		return i >= most && (within == 0 || at-times[i-most] <= within)
	})
	told := 0
	s := Supervisor{Restart: true, MaxRestarts: most, Within: within, MinBackoff: 1, OnFailure: func(AnyTask, error) { told++ }}
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		var sibling error
		err := s.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for i := range 2 {
				g.Go(func(ctx context.Context) error {
					failure := i
					if i += 2; failure >= len(times) {
						return nil
					}
					if err := Sleep(ctx, times[failure]-Facade(l).Time()); err != nil {
						return err
					}
					return fmt.Errorf("failure %d", failure)
				})
			}
			g.Go(func(ctx context.Context) error { sibling = Sleep(ctx, time.Hour); return sibling })
			return nil
		})
		switch {
		case gaveUp < 0:
			if err != nil || sibling != nil || told != len(times) {
				t.Errorf("%s: %v, sibling %v, told %d times", name, err, sibling, told)
			}
		case !errors.Is(err, ErrTooManyRestarts) || !strings.HasSuffix(err.Error(), fmt.Sprint("failure ", gaveUp)) ||
			!errors.Is(sibling, context.Canceled) || told != gaveUp || Facade(l).Time() != times[gaveUp]:
			t.Errorf("%s: %v, sibling %v, told %d times, at %v; want the end with failure %d", name, err, sibling, told, Facade(l).Time(), gaveUp)
		}
		return nil
	})
}

// A call that fails cancels the tasks that it started; each call has a ctx of
// its own, in the same task, with its function's name.
func TestSupervisorRestartsAnew(t *testing.T) {
	calls := 0
	var left error
	var tasks []string
	s := Supervisor{Restart: true, MinBackoff: time.Second, OnFailure: func(task AnyTask, err error) { tasks = append(tasks, task.String()) }}
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		return s.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			return g.Go(func(ctx context.Context) error {
				if ctx.Err() != nil {
					t.Error("the ctx of a call is done")
				}
				switch calls++; calls {
				case 1:
					Go(ctx, func(ctx context.Context) error { left = Sleep(ctx, time.Hour); return left })
					Yield(ctx)
					return errBoom
				case 2:
					if !errors.Is(left, context.Canceled) {
						t.Errorf("what the first call left running: %v", left)
					}
					panic("oops")
				}
				tasks = append(tasks, Current(ctx).String())
				return nil
			}).Wait(ctx)
		})
	})
	if calls != 3 || len(tasks) != 3 || tasks[0] != tasks[1] || tasks[1] != tasks[2] || !strings.HasPrefix(tasks[0], "task 2 (reactor.TestSupervisorRestartsAnew") {
		t.Errorf("%d calls, as %q", calls, tasks)
	}
}

// Whatever ends a supervised group or one of its tasks, while it runs, while it
// is paused, and while it cleans up, ends it for good.
func TestSupervisorDoesNotRestartWhatIsCancelled(t *testing.T) {
	for name, end := range map[string]func(g *TaskGroup, task *Task[struct{}], outer *CancelScope){
		"the group":  func(g *TaskGroup, _ *Task[struct{}], _ *CancelScope) { g.Cancel(nil) },
		"the task":   func(_ *TaskGroup, task *Task[struct{}], _ *CancelScope) { task.Cancel(nil) },
		"the outer":  func(_ *TaskGroup, _ *Task[struct{}], outer *CancelScope) { outer.Cancel(nil) },
		"by failing": nil,
	} {
		for _, at := range []time.Duration{5 * time.Second, 11 * time.Second} { // it runs; it is paused
			for _, cleanup := range []error{nil, errOther} {
				for _, service := range []bool{false, true} {
					calls := 0
					var told []error
					s := Supervisor{Restart: true, MinBackoff: time.Minute, OnFailure: func(_ AnyTask, err error) { told = append(told, err) }}
					var err error
					onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
						Scope(ctx, func(ctx context.Context, outer *CancelScope) error {
							err = s.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
								start := g.Go
								if service {
									start = g.GoService
								}
								task := start(func(ctx context.Context) error {
									calls++
									if err := Sleep(ctx, 10*time.Second); err != nil {
										if cleanup != nil {
											return cleanup
										}
										return err
									}
									return errBoom
								})
								Sleep(ctx, at)
								if end == nil {
									return errBoom
								}
								end(g, task, outer)
								return nil
							})
							return nil
						})
						return nil
					})
					want := 0 // failures
					if at > 10*time.Second {
						want++
					} else if cleanup != nil {
						want++
					}
					wantErr := end == nil
					if calls != 1 || len(told) != want || (err != nil) != wantErr && name != "the outer" {
						t.Errorf("%s at %v, cleanup %v, service %v: %d calls, told %v, %v", name, at, cleanup, service, calls, told, err)
					}
				}
			}
		}
	}
}

// A group that gives up is one failure for the outer supervisor, which restarts
// it.
func TestNestedSupervisors(t *testing.T) {
	var tr trace
	inner := Supervisor{Restart: true, MaxRestarts: 1, OnFailure: func(_ AnyTask, err error) { tr.add("inner:%v", err) }}
	outer := Supervisor{Restart: true, MaxRestarts: 1, OnFailure: func(_ AnyTask, err error) { tr.add("outer:%v", errors.Is(err, ErrTooManyRestarts)) }}
	run(t, func(ctx context.Context) error {
		err := outer.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(ctx context.Context) error {
				return inner.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					g.Go(func(context.Context) error { return errBoom })
					return nil
				})
			})
			return nil
		})
		if !errors.Is(err, ErrTooManyRestarts) || !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
	tr.want(t, "inner:boom outer:true inner:boom")
}

// A task that is cut off at the loop's end is not treated as one that panicked.
func TestSupervisorAndTheLoopsEnd(t *testing.T) {
	var told reports
	calls := 0
	o := Options{OnError: told.add, Grace: time.Second}
	err := setup{Options: o, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			return Supervisor{Restart: true}.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { calls++; return Sleep(context.WithoutCancel(ctx), time.Hour) })
				return nil
			})
		})
		return Sleep(ctx, time.Second)
	})
	if err != nil || calls != 1 || told.count("was cut off") != 2 || len(told) != 2 {
		t.Errorf("%v, %d calls, told %v", err, calls, told)
	}
}

func TestSupervisorMisuse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		wantPanic(t, "Supervisor.Group with a nil function", func() { Supervisor{}.Group(ctx, nil) })
		wantPanic(t, "Supervisor.Group outside a task", func() {
			Supervisor{}.Group(context.Background(), func(context.Context, *TaskGroup) error { return nil })
		})
		done := doneCtx(ctx)
		err := Supervisor{}.Group(done, func(context.Context, *TaskGroup) error { t.Error("called"); return nil })
		if !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}
