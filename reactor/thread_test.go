package reactor

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

func TestToThread(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		var self, running atomic.Bool
		Go(ctx, func(ctx context.Context) error { running.Store(true); return nil })
		v, err := ToThread(ctx, func(context.Context) (int, error) {
			self.Store(core.InTask(ctx))
			testkit.Eventually(t, "the loop goes on", running.Load)
			return 7, errBoom
		})
		if v != 7 || err != errBoom || self.Load() {
			t.Errorf("%d, %v, in task %v", v, err, self.Load())
		}
		return nil
	})
}

func TestToThreadPanicsAndExits(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		_, err := ToThread(ctx, func(context.Context) (int, error) { return 0, explode(ctx) })
		var p *PanicError
		if !errors.As(err, &p) || p.Value != errBoom || !strings.Contains(string(p.Stack), "explode") ||
			!strings.Contains(p.Task, "ToThread") {
			t.Errorf("panic: %v", err)
		}
		_, err = ToThread(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
		if err == nil || !strings.Contains(err.Error(), "Goexit") {
			t.Errorf("exit: %v", err)
		}
		if n := core.Nearest(ctx).Loop().Threads(0); n != 0 {
			t.Errorf("%d threads", n)
		}
		return nil
	})
}

// asyncio case 86.
func TestToThreadCancelled(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		release, finished := make(chan bool), make(chan bool)
		task := Go(ctx, func(ctx context.Context) error {
			v, err := ToThread(ctx, func(context.Context) (int, error) { <-release; close(finished); return 7, nil })
			if v != 0 {
				t.Error("the result came all the same")
			}
			return err
		})
		yields(ctx, 2)
		task.Cancel(errBoom)
		err := task.Wait(ctx)
		close(release)
		<-finished // it was not stopped
		if !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

func TestMaxThreads(t *testing.T) {
	setup{Options: Options{MaxThreads: 3}}.run(t, func(ctx context.Context) error {
		var now, most atomic.Int64
		var tr trace
		var tasks []*Task[struct{}]
		for i := range 12 {
			tasks = append(tasks, Go(ctx, func(ctx context.Context) error {
				_, err := ToThread(ctx, func(context.Context) (int, error) {
					n := now.Add(1)
					for {
						m := most.Load()
						if n <= m || most.CompareAndSwap(m, n) {
							break
						}
					}
					runtime.Gosched()
					now.Add(-1)
					return 0, nil
				})
				tr.add("%d", i)
				return err
			}))
		}
		yields(ctx, 2)
		checkNow(t, core.Nearest(ctx).Loop())
		tasks[7].Cancel(nil) // in the queue
		var errs []error
		for i, task := range tasks {
			if err := task.Wait(ctx); i != 7 {
				errs = append(errs, err)
			} else if err != nil && err != context.Canceled {
				t.Errorf("the cancelled one: %v", err)
			}
		}
		if most.Load() > 3 || len(tr) != 12 {
			t.Errorf("%d at a time, %d returned", most.Load(), len(tr))
		}
		if l := core.Nearest(ctx).Loop(); l.Threads(0) != 0 || !Facade(l).threads.queue.Empty() {
			t.Errorf("%d threads are left", l.Threads(0))
		}
		return errors.Join(errs...)
	})
}

func TestSubmit(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		_, err := ToThread(ctx, func(context.Context) (int, error) {
			background := context.Background()
			v, err := Submit(l, func(ctx context.Context) (int, error) {
				return 7, Sleep(ctx, time.Microsecond)
			})(background)
			if v != 7 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
			_, err = Submit(l, func(ctx context.Context) (int, error) { return 0, errBoom })(background)
			if err != errBoom {
				t.Errorf("error: %v", err)
			}
			var p *PanicError
			_, err = Submit(l, func(ctx context.Context) (int, error) { return 0, explode(ctx) })(background)
			if !errors.As(err, &p) {
				t.Errorf("panic: %v", err)
			}
			// When the wait is cancelled, so is the task.
			got := make(chan error, 1)
			short, cancel := context.WithTimeoutCause(background, time.Millisecond, errOther)
			defer cancel()
			_, err = Submit(l, func(ctx context.Context) (int, error) {
				err := Sleep(ctx, time.Hour)
				got <- err
				return 0, err
			})(short)
			if inner := <-got; err != context.DeadlineExceeded || !errors.Is(inner, errOther) {
				t.Errorf("cancelled: %v, the task: %v", err, inner)
			}
			return 0, nil
		})
		return err
	})
}

func TestSubmitOnItsOwnLoop(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		ran := false
		wait := Submit(LoopOf(ctx), func(ctx context.Context) (int, error) { ran = true; return 0, nil })
		if _, err := wait(ctx); err == nil || !strings.Contains(err.Error(), "its own loop") {
			t.Errorf("got %v", err)
		}
		yields(ctx, 3)
		if !ran {
			t.Error("the task was lost")
		}
		return nil
	})
}

func TestSubmitToALoopThatEnds(t *testing.T) {
	var l *Loop
	var wait func(context.Context) (int, error)
	runReal(t, func(ctx context.Context) error {
		l = LoopOf(ctx)
		wait = Submit(l, func(ctx context.Context) (int, error) { t.Error("called"); return 0, nil })
		return nil // before a turn
	})
	after := Submit(l, func(ctx context.Context) (int, error) { t.Error("called"); return 0, nil })
	for _, wait := range []func(context.Context) (int, error){wait, after} {
		if _, err := wait(context.Background()); err != ErrLoopClosed {
			t.Errorf("got %v", err)
		}
	}
}

// A submitted task ends with the loop, and its waiter gets an error.
func TestSubmittedTaskAtTheEnd(t *testing.T) {
	answer := make(chan error, 1)
	runReal(t, func(ctx context.Context) error {
		l := LoopOf(ctx)
		var began Future[int]
		wait := Submit(l, func(ctx context.Context) (int, error) {
			began.SetResult(1)
			return 0, Sleep(ctx, time.Hour)
		})
		go func() {
			_, err := wait(context.Background())
			answer <- err
		}()
		_, err := began.Await(ctx)
		return err
	})
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
