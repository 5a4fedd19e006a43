package reactor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// failures are the ways for a task's cleanup to fail, once its ctx is done, each
// with what shows that it was not lost.
var failures = map[string]struct {
	fail func(ctx context.Context) error
	is   func(err error) bool // nil: there is nothing but an echo to be told
}{
	"an error": {func(context.Context) error { return errOther }, func(err error) bool { return errors.Is(err, errOther) }},
	"joined":   {func(ctx context.Context) error { return errors.Join(Yield(ctx), errOther) }, func(err error) bool { return errors.Is(err, errOther) }},
	"a panic":  {func(context.Context) error { panic(errOther) }, isPanic},
	"an echo":  {func(ctx context.Context) error { return Yield(ctx) }, nil},
	"nothing":  {func(context.Context) error { return nil }, nil},
}

func isPanic(err error) bool {
	var p *PanicError
	return errors.As(err, &p) && p.Value == errOther
}

// The error of a task that fails while Start waits for it to stop is not lost,
// in a group or outside.
func TestStartCancelledReturnsItsTasksError(t *testing.T) {
	for name, f := range failures {
		for _, grouped := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				run(t, func(ctx context.Context) error {
					starter := GoNow(ctx, func(ctx context.Context) error {
						start := func(ctx context.Context, g *TaskGroup) error {
							v, err := Start(ctx, g, func(ctx context.Context, started func(int)) error {
								Sleep(ctx, time.Hour)
								Sleep(context.WithoutCancel(ctx), time.Second)
								return f.fail(ctx)
							})
							if v != 0 {
								t.Errorf("value %d", v)
							}
							return err
						}
						if grouped {
							return Group(ctx, start)
						}
						return start(ctx, nil)
					})
					Sleep(ctx, time.Second)
					starter.Cancel(errBoom)
					err := starter.Wait(ctx)
					if !errors.Is(err, errBoom) || !errors.Is(err, context.Canceled) {
						t.Errorf("the cancellation is missing: %v", err)
					}
					if f.is == nil && !LoopOf(ctx).core.IsCancellation(err) || f.is != nil && !f.is(err) {
						t.Errorf("Start returned %v", err)
					}
					return nil
				})
			})
		}
	}
}

// forsakers run functions as tasks and are cut off while these still run, or
// panic, so that they can't return how the tasks ended.
var forsakers = map[string]func(ctx context.Context, f func(ctx context.Context) error){
	"Start": func(ctx context.Context, f func(ctx context.Context) error) {
		Start(ctx, nil, func(ctx context.Context, _ func(int)) error { return f(ctx) })
	},
	"Gather": func(ctx context.Context, f func(ctx context.Context) error) {
		Gather(ctx, func(ctx context.Context) (int, error) { return 0, f(ctx) })
	},
	"GatherAll": func(ctx context.Context, f func(ctx context.Context) error) {
		GatherAll(ctx, func(ctx context.Context) (int, error) { return 0, f(ctx) })
	},
	"Race": func(ctx context.Context, f func(ctx context.Context) error) {
		Race(ctx, func(ctx context.Context) (int, error) { return 0, f(ctx) })
	},
	"Any": func(ctx context.Context, f func(ctx context.Context) error) {
		Any(ctx, func(ctx context.Context) (int, error) { return 0, f(ctx) })
	},
	"GatherUntil": func(ctx context.Context, f func(ctx context.Context) error) {
		GatherUntil(ctx, func(int, Outcome[int]) bool { return true }, func(ctx context.Context) (int, error) { return 0, f(ctx) })
	},
	"Group": func(ctx context.Context, f func(ctx context.Context) error) {
		Group(ctx, func(_ context.Context, g *TaskGroup) error { g.Go(f); return nil })
	},
}

// A task that awaits others and is cut off at the loop's end can't return their
// errors: these are reported.
func TestFailuresOfThoseWhomNobodyCanAwait(t *testing.T) {
	for name, forsake := range forsakers {
		t.Run(name, func(t *testing.T) {
			var told reports
			o := Options{OnError: told.add, Grace: time.Second}
			err := setup{Options: o, world: newWorld(t)}.run(t, func(ctx context.Context) error {
				GoNow(ctx, func(ctx context.Context) error {
					forsake(context.WithoutCancel(ctx), func(ctx context.Context) (err error) {
						defer func() { recover(); err = errOther }()
						return Sleep(context.WithoutCancel(ctx), time.Hour)
					})
					return nil
				})
				return Yield(ctx)
			})
			if n := told.count("nobody awaited"); err != nil || n != 1 {
				t.Errorf("%v, told %d times: %v", err, n, told)
			}
		})
	}
}

// What failed before GatherAll was cut off is reported, too.
func TestGatherAllCutOffReportsWhatFailedBefore(t *testing.T) {
	var told reports
	o := Options{OnError: told.add, Grace: time.Second}
	setup{Options: o, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		GoNow(ctx, func(ctx context.Context) error {
			free := context.WithoutCancel(ctx)
			GatherAll(free,
				func(context.Context) (int, error) { return 0, errOther },
				func(context.Context) (int, error) { return 0, Sleep(free, time.Hour) })
			return nil
		})
		yields(ctx, 3)
		return nil
	})
	if n := told.count("nobody awaited"); n != 1 {
		t.Errorf("told %d times: %v", n, told)
	}
}

// A race that is cut off, or whose predicate panics, reports what failed before
// and after.
func TestRaceThatCanTellNobody(t *testing.T) {
	var told reports
	o := Options{OnError: told.add, Grace: time.Second}
	setup{Options: o, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		never := func(int, Outcome[int]) bool { return false }
		fails := func(context.Context) (int, error) { return 0, errOther }
		GoNow(ctx, func(ctx context.Context) error {
			free := context.WithoutCancel(ctx)
			GatherUntil(free, never, fails, func(context.Context) (int, error) { return 0, Sleep(free, time.Hour) })
			return nil
		})
		wantPanic(t, "undecided", func() {
			GatherUntil(ctx, func(int, Outcome[int]) bool { panic("undecided") }, fails, func(ctx context.Context) (int, error) {
				Sleep(ctx, time.Hour)
				return 0, errBoom
			})
		})
		if n := told.count("nobody awaited"); n != 2 {
			t.Errorf("told %d times after the panic: %v", n, told)
		}
		return nil
	})
	if n := told.count("nobody awaited"); n != 3 {
		t.Errorf("told %d times: %v", n, told)
	}
}

// A panic of a group's function goes on as it is; the errors of the group's tasks,
// from before and after it, are reported, and a task's panic ends the loop.
func TestGroupWhoseFunctionPanics(t *testing.T) {
	for name, f := range failures {
		for _, when := range []string{"before", "after"} {
			t.Run(name+" "+when, func(t *testing.T) {
				var told reports
				var got any
				err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
					l := core.Nearest(ctx).Loop()
					func() {
						defer func() { got = recover() }()
						Group(ctx, func(ctx context.Context, g *TaskGroup) error {
							g.Go(func(ctx context.Context) error {
								if when == "after" {
									Sleep(ctx, time.Hour)
									Sleep(context.WithoutCancel(ctx), time.Second)
								}
								return f.fail(ctx)
							})
							Sleep(ctx, time.Second)
							panic(errBoom)
						})
					}()
					checkNow(t, l)
					yields(ctx, 3)
					return nil
				})
				if got != errBoom {
					t.Errorf("recovered %v", got)
				}
				n := told.count("nobody awaited")
				switch {
				case f.is == nil:
					if err != nil || n != 0 {
						t.Errorf("nothing failed: %v, told %v", err, told)
					}
				case name == "a panic":
					if !f.is(err) {
						t.Errorf("Run returned %v, told %v", err, told)
					}
				case err != nil || n != 1 || !f.is(told[0].Err):
					t.Errorf("Run returned %v, told %v", err, told)
				}
			})
		}
	}
}

// An error of a group's task that Wait returned is not reported again.
func TestGroupWhoseFunctionPanicsWithAnError(t *testing.T) {
	var told reports
	err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		defer func() { recover() }()
		return Group(ctx, func(group context.Context, g *TaskGroup) error {
			task := g.Go(func(context.Context) error { return errOther })
			panic(task.Wait(ctx))
		})
	})
	if err != nil || len(told) != 0 {
		t.Errorf("%v, told %v", err, told)
	}
}

// A submission whose waiter has given up fails: no call can return the error,
// so it is reported. One that has ended is not given up.
func TestSubmissionThatNobodyWaitsForFails(t *testing.T) {
	for name, f := range failures {
		for _, early := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " early ", early), func(t *testing.T) {
				var told reports
				err := setup{Options: Options{OnError: told.add}}.run(t, func(ctx context.Context) error {
					var began, given, ended Event
					wait := Submit(LoopOf(ctx), func(ctx context.Context) (int, error) {
						began.Set()
						defer ended.Set()
						if !early {
							given.Wait(ctx)
						}
						return 0, f.fail(ctx)
					})
					if early {
						ended.Wait(ctx)
						yields(ctx, 2)
					} else {
						began.Wait(ctx)
					}
					result := make(chan error, 1)
					go func() {
						canceled, cancel := context.WithCancel(context.Background())
						cancel()
						_, err := wait(canceled)
						result <- err
					}()
					got, _, err := Receive(ctx, result)
					if err != nil { // the panic has ended the loop already
						got = <-result
					}
					if (got == context.Canceled) == early {
						t.Errorf("wait returned %v", got)
					}
					given.Set()
					ended.Wait(ctx)
					yields(ctx, 5)
					return nil
				})
				n := told.count("nobody awaited")
				switch {
				case f.is == nil || early:
					if err != nil || n != 0 {
						t.Errorf("nothing to be told: %v, told %v", err, told)
					}
				case name == "a panic":
					if !f.is(err) {
						t.Errorf("Run returned %v, told %v", err, told)
					}
				case err != nil || n != 1 || !f.is(told[0].Err):
					t.Errorf("Run returned %v, told %v", err, told)
				}
			})
		}
	}
}
