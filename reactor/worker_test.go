package reactor

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

func TestCoroutinesAreReused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for range 100 {
			Go(ctx, func(ctx context.Context) error { return Yield(ctx) }).Wait(ctx)
		}
		if l.Holdings().Workers > 3 {
			t.Errorf("%d workers for one task at a time", l.Holdings().Workers)
		}
		return nil
	})
}

// More coroutines than are kept: the surplus exits in the middle of a run,
// and each exit wakes whoever sleeps in its seat.
func TestSurplusCoroutinesExit(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		for round := range 3 {
			const n = 5000
			woken := make([]int, n)
			tasks := make([]*Task[struct{}], n)
			for i := range n {
				tasks[i] = Go(ctx, func(ctx context.Context) error {
					self := l.Running()
					// Different ends, so that seats get mixed.
					for range 1 + i%3 {
						if err := Sleep(ctx, time.Duration(1+i*7919%n)*time.Microsecond); err != nil {
							return err
						}
						woken[i]++
						if l.Running() != self {
							return errors.New("woken in another's place")
						}
					}
					return nil
				})
			}
			for i, task := range tasks {
				if err := task.Wait(ctx); err != nil {
					return err
				}
				if woken[i] != 1+i%3 {
					t.Errorf("round %d: task %d woken %d times", round, i, woken[i])
				}
			}
			checkNow(t, l)
			if l.Holdings().Idle != 1024 || l.Holdings().Workers > 1024+1 {
				t.Errorf("round %d: %d idle of %d", round, l.Holdings().Idle, l.Holdings().Workers)
			}
		}
		return nil
	})
}

func TestSurplusCoroutinesExitAmongCallbacksAndParkedTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		ended, called := 0, 0
		for i := range 3000 {
			Go(ctx, func(ctx context.Context) error {
				for range i % 4 {
					Facade(l).CallSoon(func() { called++ })
					Yield(ctx)
				}
				ended++
				return nil
			})
			if i%500 == 0 {
				Go(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Duration(i)*time.Second) })
			}
		}
		Sleep(ctx, time.Hour)
		if ended != 3000 || called != 3000/4*6 {
			t.Errorf("%d ended, %d called", ended, called)
		}
		checkNow(t, l)
		return nil
	})
}

func TestTenThousandSleepers(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		const n = 10000
		last, ended := time.Duration(0), 0
		for i := range n {
			d := time.Duration(1+i*7919%n) * time.Millisecond
			Go(ctx, func(ctx context.Context) error {
				start := Facade(l).Time()
				if err := Sleep(ctx, d); err != nil {
					return err
				}
				if now := Facade(l).Time(); now-start != d || now < last {
					t.Errorf("slept %v instead of %v, after one until %v", now-start, d, last)
				}
				last = Facade(l).Time()
				ended++
				return nil
			})
		}
		Sleep(ctx, (n+1)*time.Millisecond)
		if ended != n {
			t.Errorf("%d of %d woke", ended, n)
		}
		return nil
	})
}

// A wake, and then a cancellation before the resume: the result comes, and the
// next await fails, also when it is in the same call.
func TestTwoParksInOneCall(t *testing.T) {
	t.Run("ToThread", func(t *testing.T) {
		setup{Options: Options{MaxThreads: 1}}.run(t, func(ctx context.Context) error {
			l := core.Nearest(ctx).Loop()
			l.Threads(1) // as if one ran
			release, ran := make(chan bool), make(chan bool)
			task := Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) { <-release; close(ran); return 0, nil })
				return err
			})
			third := Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) { return 0, nil })
				return err
			})
			yields(ctx, 2)
			Facade(l).CallSoon(func() {
				Facade(l).threads.queue.WakeFirst(core.WokenDone) // as the one that ran would
				task.Cancel(errBoom)                              // before the task has resumed
				checkNow(t, l)
			})
			yields(ctx, 3)
			err := ErrNotDone
			if task.Finished() {
				err = task.Wait(ctx)
			}
			if !errors.Is(err, errBoom) {
				t.Errorf("still there, or another error: %v", err)
			}
			close(release)
			<-ran
			return third.Wait(ctx) // the thread was not lost
		})
	})
	t.Run("Group", func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var gate, late Future[int]
			done := false
			task := Go(ctx, func(ctx context.Context) error {
				err := Group(ctx, func(_ context.Context, g *TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						gate.Await(context.WithoutCancel(ctx))
						g.Go(func(ctx context.Context) error { // one more, while it is drained
							late.Await(context.WithoutCancel(ctx))
							return nil
						})
						return nil
					})
					return nil
				})
				done = true
				if next := Yield(ctx); !errors.Is(next, errBoom) {
					t.Errorf("the cancellation is lost: %v", next)
				}
				return err
			})
			yields(ctx, 3)
			gate.SetResult(0)
			task.Cancel(errBoom)
			yields(ctx, 5)
			if done {
				t.Error("the group left a task behind")
			}
			late.SetResult(0)
			return task.Wait(ctx)
		})
	})
	t.Run("Gather", func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var gate Future[int]
			stubborn := func(ctx context.Context) (int, error) {
				return gate.Await(context.WithoutCancel(ctx))
			}
			done := false
			task := Go(ctx, func(ctx context.Context) error {
				_, err := Gather(ctx, stubborn, stubborn)
				done = true
				return err
			})
			yields(ctx, 3)
			task.Cancel(errBoom)
			yields(ctx, 5)
			if done {
				t.Error("Gather left a task behind")
			}
			gate.SetResult(1)
			if err := task.Wait(ctx); !errors.Is(err, errBoom) {
				t.Errorf("got %v", err)
			}
			return nil
		})
	})
}

// Who asks again and again under a done scope lets others run all the same.
func TestRefusedAwaitsYield(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error {
			for n := 0; ; n++ {
				if err := Sleep(ctx, time.Hour); err == nil || n == 100000 {
					t.Errorf("err %v after %d awaits", err, n)
					return nil
				}
				if Cause(ctx) == errOther {
					return nil
				}
			}
		})
		stop := false
		spinner := Go(ctx, func(ctx context.Context) error {
			for !stop {
				Yield(ctx)
			}
			return nil
		})
		_ = spinner
		spin := Go(ctx, func(ctx context.Context) error {
			n := 0
			for ; Sleep(ctx, time.Hour) != nil && !stop; n++ {
			}
			return nil
		})
		Yield(ctx)
		spin.Cancel(nil)
		yields(ctx, 3)
		stop = true
		task.Cancel(errOther)
		return errors.Join(spin.Wait(ctx), task.Wait(ctx))
	})
}
