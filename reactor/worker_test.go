package reactor

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestCoroutinesAreReused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		for range 100 {
			Go(ctx, func(ctx context.Context) error { return Yield(ctx) }).Wait(ctx)
		}
		if len(l.workers) > 3 {
			t.Errorf("%d workers for one task at a time", len(l.workers))
		}
		return nil
	})
}

// More coroutines than are kept: the surplus exits in the middle of a run,
// and each exit wakes whoever sleeps in its seat.
func TestSurplusCoroutinesExit(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		for round := range 3 {
			const n = 5000
			woken := make([]int, n)
			tasks := make([]*Task[struct{}], n)
			for i := range n {
				tasks[i] = Go(ctx, func(ctx context.Context) error {
					self := l.cur
					// Different ends, so that seats get mixed.
					for range 1 + i%3 {
						if err := Sleep(ctx, time.Duration(1+i*7919%n)*time.Microsecond); err != nil {
							return err
						}
						woken[i]++
						if l.cur != self || self.task == nil {
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
			l.checkNow(t)
			if l.idlers != maxIdle || len(l.workers) > maxIdle+1 {
				t.Errorf("round %d: %d idle of %d", round, l.idlers, len(l.workers))
			}
		}
		return nil
	})
}

func TestSurplusCoroutinesExitAmongCallbacksAndParkedTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		ended, called := 0, 0
		for i := range 3000 {
			Go(ctx, func(ctx context.Context) error {
				for range i % 4 {
					facadeOf(l).CallSoon(func() { called++ })
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
		l.checkNow(t)
		return nil
	})
}

func TestTenThousandSleepers(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		const n = 10000
		last, ended := time.Duration(0), 0
		for i := range n {
			d := time.Duration(1+i*7919%n) * time.Millisecond
			Go(ctx, func(ctx context.Context) error {
				start := facadeOf(l).Time()
				if err := Sleep(ctx, d); err != nil {
					return err
				}
				if now := facadeOf(l).Time(); now-start != d || now < last {
					t.Errorf("slept %v instead of %v, after one until %v", now-start, d, last)
				}
				last = facadeOf(l).Time()
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

// The state that a task leaves behind is nothing to the next one.
func TestAWorkersNextTaskStartsAfresh(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var first *worker
		a := Go(ctx, func(ctx context.Context) error {
			first = l.cur
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			Timeout(ctx, time.Second, func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			return Sleep(derived, time.Second)
		})
		a.Wait(ctx)
		if first.task != nil || first.scope != nil || first.shadow != nil || first.state != idle {
			t.Errorf("left behind: %+v", first)
		}
		Yield(ctx)
		b := Go(ctx, func(ctx context.Context) error {
			if l.cur != first || first.scope != nearest(ctx) {
				t.Error("another worker, or another scope")
			}
			return Sleep(ctx, time.Hour)
		})
		Yield(ctx)
		if a.Cancel(nil) || !b.Cancel(errBoom) {
			t.Error("Cancel")
		}
		if err := b.Wait(ctx); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}

// A wake, and then a cancellation before the resume: the result comes, and the
// next await fails, also when it is in the same call.
func TestTwoParksInOneCall(t *testing.T) {
	t.Run("ToThread", func(t *testing.T) {
		setup{Options: Options{MaxThreads: 1}}.run(t, func(ctx context.Context) error {
			l := nearest(ctx).loop
			l.threads = 1 // as if one ran
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
			facadeOf(l).CallSoon(func() {
				facadeOf(l).threads.queue.wakeFirst(wokenDone) // as the one that ran would
				task.Cancel(errBoom)                           // before the task has resumed
				l.checkNow(t)
			})
			yields(ctx, 3)
			err := ErrNotDone
			if task.over {
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
