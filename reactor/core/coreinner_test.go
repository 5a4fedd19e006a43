package core_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit/virtual"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"

	"github.com/eddyio/eddy"
)

// Followers come and go, in every order, and the list stays right.
func TestFollowersList(t *testing.T) {
	run(t, func(ctx context.Context) error {
		s := core.Nearest(ctx)
		var tasks []*reactor.Task[struct{}]
		for range 5 {
			c, cancel := context.WithCancel(ctx)
			defer cancel()
			tasks = append(tasks, reactor.Go(c, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) }))
		}
		reactor.Yield(ctx)
		for left, i := range []int{2, 0, 4, 1, 3} {
			tasks[i].Cancel(nil)
			tasks[i].Wait(ctx)
			if n, right := s.Followers(); n != 4-left || !right {
				t.Errorf("%d followers after %d have gone, in a list that is right: %v", n, left+1, right)
			}
		}
		return nil
	})
}

// A task of which nobody knows but the lock that it holds is not used again for a
// Dormant's next run.
func TestHolderIsKnown(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var m reactor.Mutex
		return reactor.GoNow(ctx, func(ctx context.Context) error {
			me := core.Nearest(ctx).Loop().Running()
			before := me.Unknown()
			m.Lock(ctx)
			if !before || me.Unknown() {
				t.Errorf("unknown before: %v, and while it holds the lock: %v", before, me.Unknown())
			}
			m.Unlock()
			if !me.Unknown() {
				t.Error("it is known after it has unlocked")
			}
			return nil
		}).Wait(ctx)
	})
}

// A flag says whether the loop sleeps: one wake for a burst, none while awake.
func TestWakesCoalesce(t *testing.T) {
	v := virtual.New(t)
	runWith(t, context.Background(), reactor.Options{Clock: v, Poller: v}, func(ctx context.Context) error {
		l, inner := reactor.LoopOf(ctx), core.Nearest(ctx).Loop()
		defer l.Hold()()
		called := 0
		before := v.Wakes.Load()
		for range 100 {
			l.Post(func() { called++ })
		}
		yields(ctx, 2)
		if called != 100 || v.Wakes.Load() != before {
			t.Errorf("awake: %d called, %d wakes", called, v.Wakes.Load()-before)
		}
		for range 5 {
			before, waits := v.Wakes.Load(), v.Waits.Load()
			var f reactor.Future[int]
			go func() {
				for !inner.Asleep() || v.Waits.Load() == waits {
					runtime.Gosched()
				}
				inner.PostAtOnce(50, func() {})
				l.Post(func() { f.SetResult(1) })
			}()
			f.Await(ctx)
			if n := v.Wakes.Load() - before; n != 1 {
				t.Errorf("asleep: %d wakes", n)
			}
		}
		return nil
	})
}

func TestInboxKeepsNoBurst(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := reactor.LoopOf(ctx)
		n := 0
		for range 5000 {
			l.Post(func() { n++ })
		}
		yields(ctx, 2)
		room, spare := core.Nearest(ctx).Loop().Messages()
		if n != 5000 || room > 2048 {
			t.Errorf("%d called; room for %d is kept", n, room)
		}
		for i, f := range spare {
			if f != nil {
				t.Fatalf("message %d is kept alive", i)
			}
		}
		return nil
	})
}

// A loop that sleeps while it is held learns of the release: there is a deadlock
// from then on. Each of several holds counts.
func TestReleaseOfASleepingLoop(t *testing.T) {
	const holders = 3
	var wg sync.WaitGroup
	err := runWith(t, context.Background(), reactor.Options{}, func(ctx context.Context) error {
		l, inner := reactor.LoopOf(ctx), core.Nearest(ctx).Loop()
		for range holders {
			release := l.Hold()
			wg.Go(func() {
				for !inner.Asleep() {
					time.Sleep(time.Millisecond)
				}
				release()
				release()
			})
		}
		var f reactor.Future[int]
		_, err := f.Await(ctx)
		return err
	})
	wg.Wait()
	if _, ok := errors.AsType[*reactor.DeadlockError](err); !ok {
		t.Errorf("Run returned %v", err)
	}
}

// Once stop has been called, what had arrived is not handed on.
func TestOnSignalStoppedInTime(t *testing.T) {
	guard := make(chan os.Signal, 1)
	signal.Notify(guard, syscall.SIGUSR1)
	defer signal.Stop(guard)
	err := runWith(t, context.Background(), reactor.Options{}, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		stop := reactor.OnSignal(ctx, func(os.Signal) { t.Error("called after stop") }, syscall.SIGUSR1)
		syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
		eventually(t, "the signal arrives", func() bool { return l.Posted() })
		reactor.Yield(ctx) // now its callback is ready, behind this task
		stop()
		yields(ctx, 3)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A task that is woken by its cancellation in the turn in which the function fails
// does not get its error either.
func TestThreadThatFailsAsItsTaskIsCancelled(t *testing.T) {
	var told reports
	runWith(t, context.Background(), reactor.Options{OnError: told.add}, func(ctx context.Context) error {
		return reactor.Scope(ctx, func(inner context.Context, s *reactor.CancelScope) error {
			begun := make(chan bool)
			l := core.Nearest(ctx).Loop()
			reactor.LoopOf(ctx).CallSoon(func() {
				close(begun) // the turn has looked into the inbox
				for !l.Posted() {
					runtime.Gosched()
				}
				s.Cancel(nil)
			})
			reactor.ToThread(inner, func(context.Context) (int, error) { <-begun; return 0, errBoom })
			return nil
		})
	})
	if len(told) != 1 || told[0].Err != errBoom {
		t.Errorf("told %v", told)
	}
}

// The state that a task leaves behind is nothing to the next one.
func TestAWorkersNextTaskStartsAfresh(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var first *core.Worker
		a := reactor.Go(ctx, func(ctx context.Context) error {
			first, _, _ = core.Await(ctx, "test")
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			reactor.Timeout(ctx, time.Second, func(ctx context.Context) error { return reactor.Sleep(ctx, time.Hour) })
			return reactor.Sleep(derived, time.Second)
		})
		a.Wait(ctx)
		if !first.Afresh() {
			t.Errorf("left behind: %+v", first)
		}
		reactor.Yield(ctx)
		b := reactor.Go(ctx, func(ctx context.Context) error {
			if w, s, _ := core.Await(ctx, "test"); w != first || s != core.Nearest(ctx) {
				t.Error("another worker, or another scope")
			}
			return reactor.Sleep(ctx, time.Hour)
		})
		reactor.Yield(ctx)
		if a.Cancel(nil) || !b.Cancel(errBoom) {
			t.Error("Cancel")
		}
		if err := b.Wait(ctx); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		return nil
	})
}

func TestDebugModeByTheEnvironment(t *testing.T) {
	t.Setenv("EDDYDEBUG", "1")
	run(t, func(ctx context.Context) error {
		if on, slow := core.Nearest(ctx).Loop().Debugged(); !on || slow != int64(100*time.Millisecond) {
			t.Error("not on")
		}
		return nil
	})
}

// An event that was under way when its fd was closed wakes nobody, though the
// number and the slot have an owner again.
func TestAStaleEventWakesNobody(t *testing.T) {
	v := virtual.New(t)
	err := runWith(t, context.Background(), reactor.Options{Clock: v, Poller: v}, func(ctx context.Context) error {
		var a, b core.FD
		if err := a.Open(ctx, 5, nil); err != nil {
			return err
		}
		v.Tell(5, eddy.Readable|eddy.Hangup) // on its way
		slot := a.Slot()
		a.Close()
		if err := b.Open(ctx, 5, nil); err != nil || b.Slot() != slot {
			t.Fatalf("%v, or another slot: the test proves nothing", err)
		}
		err := reactor.Timeout(ctx, time.Second, func(context.Context) error { return b.WaitRead() })
		if !errors.Is(err, context.DeadlineExceeded) || b.Undrained() {
			t.Errorf("woken: %v", err)
		}
		core.Nearest(ctx).Loop().Dispatch(eddy.Event{Token: 1 << 20, Ready: eddy.Readable}) // no such slot
		return b.Close()
	})
	if err != nil {
		t.Error(err)
	}
}
