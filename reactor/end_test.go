package reactor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
)

func TestWhatIsLeftIsCancelledAndAwaited(t *testing.T) {
	var tr trace
	v := newWorld(t)
	err := setup{world: v}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error {
			err := Sleep(ctx, time.Hour)
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "its main function has returned") {
				t.Errorf("got %v", err)
			}
			Sleep(context.WithoutCancel(ctx), time.Second) // cleaning up
			tr.add("attached")
			Go(ctx, func(ctx context.Context) error { tr.add("late"); return Yield(ctx) })
			return err
		})
		Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
			err := Sleep(ctx, time.Hour)
			tr.add("detached")
			return err
		})
		Yield(ctx)
		Go(ctx, func(ctx context.Context) error { // not even begun when main returns
			tr.add("begun:%v", Yield(ctx) != nil)
			return nil
		})
		return errBoom
	})
	if err != errBoom {
		t.Errorf("Run: %v", err)
	}
	tr.want(t, "begun:true detached attached late")
	if now := v.Now(); now != time.Second {
		t.Errorf("at %v", now)
	}
}

func TestGraceTime(t *testing.T) {
	for _, c := range []struct{ grace, want time.Duration }{{0, 10 * time.Second}, {time.Minute, time.Minute}} {
		v, j := newWorld(t), new(journal)
		var ended atomic.Bool
		err := setup{world: v, log: j, Options: Options{Grace: c.grace}}.run(t, func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error {
				defer ended.Store(true)
				Sleep(context.WithoutCancel(ctx), time.Hour)
				t.Error("not cut off")
				return nil
			})
			return Yield(ctx)
		})
		if err != nil || !ended.Load() || v.Now() != c.want {
			t.Errorf("%v, ended %v, at %v", err, ended.Load(), v.Now())
		}
		if j.count("cut off task=task 2 (reactor.TestGraceTime") != 1 || j.count("reactor.Sleep(") != 1 {
			t.Errorf("logged %q", j.all())
		}
	}
}

func TestGraceForEver(t *testing.T) {
	v := newWorld(t)
	err := setup{world: v, Options: Options{Grace: math.MaxInt64}}.run(t, func(ctx context.Context) error {
		Go(ctx, func(ctx context.Context) error { return Sleep(context.WithoutCancel(ctx), 1000*time.Hour) })
		return Yield(ctx)
	})
	if err != nil || v.Now() != 1000*time.Hour {
		t.Errorf("%v at %v", err, v.Now())
	}
}

// Tasks that ignore their cancellation in different ways; all must end by being
// cut off.
func TestCutOff(t *testing.T) {
	var never Future[int]
	stubborn := map[string]func(ctx context.Context) error{
		"sleeps shielded": func(ctx context.Context) error { return Sleep(context.WithoutCancel(ctx), time.Hour) },
		"awaits shielded": func(ctx context.Context) error {
			_, err := never.Await(context.WithoutCancel(ctx))
			return err
		},
		"spins on failing awaits": func(ctx context.Context) error {
			for {
				Sleep(ctx, time.Hour)
			}
		},
		"yields shielded": func(ctx context.Context) error {
			for {
				Yield(context.WithoutCancel(ctx))
			}
		},
		"in a group": func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { return Sleep(context.WithoutCancel(ctx), time.Hour) })
				return nil
			})
		},
		"gathers": func(ctx context.Context) error {
			_, err := Gather(ctx, func(ctx context.Context) (int, error) {
				return 0, Sleep(context.WithoutCancel(ctx), time.Hour)
			})
			return err
		},
		"waits for another that does": func(ctx context.Context) error {
			return Go(ctx, func(ctx context.Context) error {
				return Sleep(context.WithoutCancel(ctx), time.Hour)
			}).Wait(context.WithoutCancel(ctx))
		},
		"awaits in a deferred function": func(ctx context.Context) error {
			defer Sleep(context.WithoutCancel(ctx), time.Hour)
			return Sleep(context.WithoutCancel(ctx), time.Hour)
		},
	}
	for name, f := range stubborn {
		t.Run(name, func(t *testing.T) {
			v, j := newWorld(t), new(journal)
			v.Drift = 10_000_000 // time passes for those who never let the loop sleep
			var task *Task[struct{}]
			err := setup{world: v, log: j}.run(t, func(ctx context.Context) error {
				task = Go(ctx, f)
				return Sleep(ctx, time.Second)
			})
			if err != nil || !errors.Is(task.record().Outcome(), ErrCutOff) || j.count("cut off") == 0 {
				t.Errorf("Run %v, task %v, %q", err, task.record().Outcome(), j.all())
			}
			if now := v.Now(); now < 11*time.Second || now > 13*time.Second {
				t.Errorf("at %v", now)
			}
		})
	}
}

// One that recovers the cut-off and goes on is cut off again at its next
// await, for a second; then it is given up, and its goroutine leaks.
func TestCutOffRecovered(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		j := new(journal)
		err := setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error {
				func() {
					defer func() { recover() }()
					Sleep(context.WithoutCancel(ctx), time.Hour)
				}()
				return Sleep(context.WithoutCancel(ctx), time.Hour)
			})
			return Yield(ctx)
		})
		if err != nil || j.count("cut off") != 1 {
			t.Errorf("%v, %q", err, j.all())
		}
	})
	t.Run("always", func(t *testing.T) {
		v, j := newWorld(t), new(journal)
		v.Drift = 1000000
		rounds := 0
		var err error
		checked := make(chan struct{})
		go func() {
			defer close(checked)
			defer leakedGoroutines(t, 1)()
			err = setup{world: v, log: j, leaky: true}.runLeaking(func(ctx context.Context) error {
				Go(ctx, func(ctx context.Context) error {
					for ; rounds < 10_000_000; rounds++ {
						func() {
							defer func() { recover() }()
							Sleep(context.WithoutCancel(ctx), time.Hour)
						}()
					}
					t.Error("the loop does not get out of it")
					return nil
				})
				return Yield(ctx)
			})
		}()
		if <-checked; err != nil || j.count("resisted being cut off") != 1 {
			t.Errorf("%v, %q", err, j.all())
		}
	})
}

// runLeaking runs a loop that is abandoned: nothing is checked.
func (s setup) runLeaking(main func(ctx context.Context) error) error {
	s, _ = s.prepare()
	return s.Options.Run(s.ctx, main)
}

// leakedGoroutines returns a function that fails the test if not exactly n
// more goroutines are left than now.
func leakedGoroutines(t *testing.T, n int) func() {
	before := testkit.Goroutines()
	return func() {
		deadline := time.Now().Add(testkit.Patience)
		got := testkit.Goroutines() - before
		for ; got > n && time.Now().Before(deadline); got = testkit.Goroutines() - before {
			runtime.Gosched()
		}
		if got > n {
			t.Errorf("%d goroutines leak, want %d", got, n)
		}
	}
}

func TestAThreadStillRunningAtTheEnd(t *testing.T) {
	t.Run("is awaited", func(t *testing.T) {
		var done atomic.Bool
		runReal(t, func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) {
					time.Sleep(5 * time.Millisecond)
					done.Store(true)
					return 0, nil
				})
				return err
			})
			return Yield(ctx)
		})
		if !done.Load() {
			t.Error("Run did not wait")
		}
	})
	t.Run("for the grace time", func(t *testing.T) {
		v, j := newWorld(t), new(journal)
		release := make(chan bool)
		defer testkit.LeakCheck(t)()
		defer close(release)
		err := setup{world: v, log: j}.runLeaking(func(ctx context.Context) error {
			Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
				return err
			})
			return Yield(ctx)
		})
		if err != nil || v.Now() != 11*time.Second || j.count("ToThread still run") != 1 {
			t.Errorf("%v at %v, %q", err, v.Now(), j.all())
		}
	})
}

// asyncio case 56, without the garbage collector: an error that nobody awaits
// is logged when the last one who might is gone.
func TestUnawaitedErrors(t *testing.T) {
	fails := func(context.Context) error { return errBoom }
	for _, c := range []struct {
		name string
		main func(t *testing.T, j *journal, ctx context.Context)
	}{
		{"logged when the maker ends", func(t *testing.T, j *journal, ctx context.Context) {
			maker := Go(ctx, func(ctx context.Context) error {
				Go(ctx, fails)
				yields(ctx, 3)
				if j.count("boom") != 0 {
					t.Error("too early")
				}
				return nil
			})
			maker.Wait(ctx)
			if j.count("boom") != 1 {
				t.Error("too late")
			}
		}},
		{"logged at the loop's end", func(t *testing.T, j *journal, ctx context.Context) {
			Go(ctx, fails)
			yields(ctx, 3)
			if j.count("boom") != 0 {
				t.Error("too early")
			}
		}},
		{"logged at once when the maker is gone", func(t *testing.T, j *journal, ctx context.Context) {
			Go(ctx, func(ctx context.Context) error {
				Go(ctx, func(ctx context.Context) error { yields(ctx, 3); return errBoom })
				return nil
			})
			yields(ctx, 6)
			if j.count("boom") != 1 {
				t.Error("too late")
			}
		}},
		{"logged at once when a callback made it", func(t *testing.T, j *journal, ctx context.Context) {
			LoopOf(ctx).CallSoon(func() { Go(ctx, fails) })
			yields(ctx, 3)
			if j.count("boom") != 1 {
				t.Error("too late")
			}
		}},
		{"logged once of those not claimed", func(t *testing.T, j *journal, ctx context.Context) {
			a, b, c := Go(ctx, fails), Go(ctx, fails), Go(ctx, fails)
			Go(ctx, fails)
			yields(ctx, 3)
			a.Wait(ctx)
			b.Result()
			c.OnDone(func() {})
		}},
		{"and its wait was cancelled", func(t *testing.T, j *journal, ctx context.Context) {
			Go(ctx, func(ctx context.Context) error {
				bad := Go(ctx, func(ctx context.Context) error { Sleep(ctx, time.Second); return errBoom })
				Timeout(ctx, time.Millisecond, bad.Wait)
				Sleep(ctx, time.Minute)
				return nil
			})
			Sleep(ctx, time.Hour)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := new(journal)
			err := setup{world: newWorld(t), log: j}.run(t, func(ctx context.Context) error { c.main(t, j, ctx); return nil })
			if err != nil || len(j.lines) != 1 || j.count("nobody awaited it task=task") != 1 || j.count("boom") != 1 {
				t.Errorf("%v, %q", err, j.all())
			}
		})
	}
}

func TestWhatIsNotReported(t *testing.T) {
	run(t, func(ctx context.Context) error {
		hour := func(ctx context.Context) error { return Sleep(ctx, time.Hour) }
		Go(ctx, hour) // cancelled at the end: an echo
		Go(ctx, hour).Cancel(errBoom)
		Go(ctx, func(ctx context.Context) error { return fmt.Errorf("in passing: %w", hour(ctx)) })
		Go(ctx, func(ctx context.Context) error { return errors.Join(hour(ctx), hour(ctx)) })
		return Yield(ctx)
	})
}

// exits reports whether f's goroutine exited by runtime.Goexit.
func exits(f func()) bool {
	result := make(chan bool)
	go func() {
		exited := true
		defer func() { result <- exited }()
		f()
		exited = false
	}()
	return <-result
}

// TestGoexitInMain ends Run and its caller, when all else has been cleaned up.
func TestGoexitInMain(t *testing.T) {
	for name, main := range map[string]func(ctx context.Context) error{
		"at once": func(ctx context.Context) error { runtime.Goexit(); return nil },
		"after an await": func(ctx context.Context) error {
			Sleep(ctx, time.Second)
			runtime.Goexit()
			return nil
		},
		"awaiting while it exits": func(ctx context.Context) error {
			defer Sleep(ctx, time.Second)
			runtime.Goexit()
			return nil
		},
		"beside tasks that exit": func(ctx context.Context) error {
			for i := range 20 {
				Go(ctx, func(ctx context.Context) error {
					yields(ctx, i%5)
					runtime.Goexit()
					return nil
				}).OnDone(func() {})
			}
			yields(ctx, 2)
			runtime.Goexit()
			return nil
		},
		"in a group's body": func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				runtime.Goexit()
				return nil
			})
		},
		"in a generator's body": func(ctx context.Context) error {
			for range exitingGenerator(ctx).All() {
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer testkit.LeakCheck(t)()
			cleaned := 0
			if !exits(func() {
				setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
					for range 3 {
						Go(ctx, func(ctx context.Context) error {
							defer func() { cleaned++ }()
							return Sleep(ctx, 24*time.Hour)
						})
					}
					Yield(ctx)
					return main(ctx)
				})
			}) {
				t.Error("Run returned")
			}
			if cleaned != 3 {
				t.Errorf("%d of 3 tasks cleaned up", cleaned)
			}
		})
	}
	runReal(t, func(ctx context.Context) error { return nil })
}

// A FailNow in a task marks the test as failed, and ends that task.
func TestFailNowInATask(t *testing.T) {
	outcome := new(testing.T) // stands for a test's T
	run(t, func(ctx context.Context) error {
		err := Go(ctx, func(ctx context.Context) error {
			outcome.FailNow()
			return nil
		}).Wait(ctx)
		if !errors.Is(err, ErrGoexit) {
			t.Error(err)
		}
		return nil
	})
	if !outcome.Failed() {
		t.Error("the test has not failed")
	}
}

func TestThePollerIsClosedAndItsErrorTold(t *testing.T) {
	j := new(journal)
	v := &badCloser{newWorld(t)}
	err := setup{log: j, Options: Options{Clock: v, Poller: v}}.run(t, func(ctx context.Context) error { return Yield(ctx) })
	if err != nil || j.count("closing the poller") != 1 || !strings.Contains(j.lines[0], "boom") {
		t.Errorf("%v, %q", err, j.all())
	}
}

type badCloser struct{ *world }

func (badCloser) Close() error { return errBoom }
