package core_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/virtual"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A flag reports whether the loop sleeps: one wake for a burst, none while awake.
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

// Senders at the same time lose nothing, and each one's messages keep their order; a
// message whose hook posts it again arrives again.
func TestMessagesKeepTheirOrder(t *testing.T) {
	const senders, each = 8, 2000
	run(t, func(ctx context.Context) error {
		inner := core.Nearest(ctx).Loop()
		defer inner.Hold()()
		var f reactor.Future[int]
		var next [senders]int
		left := senders
		for s := range senders {
			go func() {
				for i := range each {
					inner.Post(func() {
						if next[s] != i {
							t.Errorf("sender %d: message %d in the place of %d", s, i, next[s])
						}
						next[s]++
					})
				}
				again := 0
				var m core.Message
				m.Hook = core.HookFunc(func() {
					if again++; again < 10 {
						inner.PostMessage(&m)
					} else if left--; left == 0 {
						f.SetResult(0)
					}
				})
				inner.PostMessage(&m)
			}()
		}
		f.Await(ctx)
		for s, n := range next {
			if n != each {
				t.Errorf("sender %d: %d arrived", s, n)
			}
		}
		return nil
	})
}

// A message that is part of something else costs no memory of its own.
func TestMessagesAllocateNothing(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := core.Nearest(ctx).Loop()
		n := 0
		m := core.Message{Hook: core.HookFunc(func() { n++ })}
		if got := testing.AllocsPerRun(100, func() {
			inner.PostMessage(&m)
			reactor.Yield(ctx)
		}); got != 0 || n != 101 {
			t.Errorf("%v allocations for each; %d arrived", got, n)
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
		testkit.Eventually(t, "the signal arrives", func() bool { return l.Posted() })
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

// A crowdPoller is told before the loop is woken.
type crowdPoller struct {
	*eddy.Poller
	woken func()
}

func (p *crowdPoller) Wake() error {
	p.woken()
	return p.Poller.Wake()
}

// While messages come in numbers, whoever is to wake the loop lets the others post first.
func TestWakesWaitForACrowd(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // or they post at the same time
	const rounds, crowd = 20, 3
	kernel, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	var posted, together atomic.Int32
	p := &crowdPoller{kernel, func() {
		if posted.Load() == crowd {
			together.Add(1)
		}
	}}
	runWith(t, context.Background(), reactor.Options{Poller: p}, func(ctx context.Context) error {
		inner := core.Nearest(ctx).Loop()
		defer inner.Hold()()
		for range rounds {
			var f reactor.Future[int]
			posted.Store(0)
			inner.Post(func() {})
			inner.Post(func() {})
			reactor.Yield(ctx) // the turn finds two
			n := 0
			go func() {
				for !inner.Asleep() {
					runtime.Gosched()
				}
				for range crowd {
					go func() {
						posted.Add(1)
						inner.PostPatiently(&core.Message{Hook: core.HookFunc(func() {
							if n++; n == crowd {
								f.SetResult(n)
							}
						})})
					}()
				}
			}()
			if _, err := f.Await(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if n := together.Load(); n < rounds/2 {
		t.Errorf("%d of %d wakes were for all", n, rounds)
	}
}
