package shard

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// count counts in the state of a shard.
func count(ctx context.Context, s *Shard[*counter]) (int, error) {
	s.State().n++
	return s.State().n, nil
}

// All shards call all others, many at a time, and nothing is lost; more shards than
// processors.
func TestCallsOfAllOnAll(t *testing.T) {
	const shards, tasks, calls = 6, 10, 50
	run(t, shards, func(ctx context.Context, s *Shard[*counter]) error {
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for range tasks {
				g.Go(func(ctx context.Context) error {
					for i := range calls {
						if _, err := Call(ctx, s.Peer(i%shards), count); err != nil {
							return err
						}
					}
					return nil
				})
			}
			return nil
		})
		if err != nil || s.Index() != 0 {
			return err
		}
		for total := 0; total != shards*tasks*calls; {
			total, err = MapReduce(ctx, s.All(), func(_ context.Context, s *Shard[*counter]) (int, error) { return s.State().n, nil },
				0, func(a, b int) int { return a + b })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// What a called function does wrong, the caller gets, and only the caller.
func TestCallThatFails(t *testing.T) {
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		call := func(f func() error) error {
			_, err := Call(ctx, s.Peer(1), func(context.Context, *Shard[*counter]) (int, error) { return 0, f() })
			return err
		}
		if err := call(func() error { return errBoom }); err != errBoom {
			t.Errorf("an error: %v", err)
		}
		if p, ok := errors.AsType[*reactor.PanicError](call(func() error { panic(errBoom) })); !ok || p.Value != errBoom || !strings.Contains(p.Task, "called by shard 0") {
			t.Errorf("a panic: %v", p)
		}
		if err := call(func() error { runtime.Goexit(); return nil }); !errors.Is(err, reactor.ErrGoexit) {
			t.Errorf("Goexit: %v", err)
		}
		return nil
	})
}

// The caller's cancellation crosses over, and the call returns when the function has: with
// its value, its own error, or the caller's cancellation.
func TestCancelledCall(t *testing.T) {
	ends := map[string]struct {
		end  func(err error) (int, error)
		want func(n int, err error) bool
	}{
		"echo": {func(err error) (int, error) { return 0, err }, func(_ int, err error) bool {
			c, ok := errors.AsType[*reactor.CancelError](err)
			return ok && c.Cause == errBoom
		}},
		"value": {func(error) (int, error) { return 7, nil }, func(n int, err error) bool { return n == 7 && err == nil }},
		"error": {func(error) (int, error) { return 0, errors.ErrUnsupported }, func(_ int, err error) bool { return err == errors.ErrUnsupported }},
	}
	for name, c := range ends {
		t.Run(name, func(t *testing.T) {
			first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
				cleaned := false // written by the called function, without a lock
				var n int
				var err error
				reactor.Scope(ctx, func(ctx context.Context, scope *reactor.CancelScope) error {
					n, err = Call(ctx, s.Peer(1), func(ctx context.Context, there *Shard[*counter]) (int, error) {
						s.Post(func(*Shard[*counter]) { scope.Cancel(errBoom) })
						err := new(reactor.Event).Wait(ctx)
						for range 10 {
							reactor.Yield(context.WithoutCancel(ctx))
						}
						if got := context.Cause(ctx); got != errBoom {
							t.Errorf("the cause is %v there", got)
						}
						cleaned = true
						return c.end(err)
					})
					return nil
				})
				if !cleaned || !c.want(n, err) {
					t.Errorf("cleaned up: %v; the call returned %v, %v", cleaned, n, err)
				}
				return nil
			})
		})
	}
}

// A cancellation that comes at any moment of a call does no harm.
func TestCallCancelledAtAnyMoment(t *testing.T) {
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		for turns := range 60 {
			reactor.Scope(ctx, func(ctx context.Context, scope *reactor.CancelScope) error {
				canceller := reactor.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
					for range turns {
						reactor.Yield(ctx)
					}
					scope.Cancel(nil)
					return nil
				})
				running := false
				_, err := Call(ctx, s.Peer(1), func(ctx context.Context, s *Shard[*counter]) (int, error) {
					running = true
					defer func() { running = false }()
					for range turns % 7 {
						if err := reactor.Yield(ctx); err != nil {
							return 0, err
						}
					}
					return 0, nil
				})
				if running || err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("after %d turns: %v, and it runs: %v", turns, err, running)
				}
				return canceller.Wait(context.WithoutCancel(ctx))
			})
		}
		return nil
	})
}

// One failure cancels the others; all of them are waited for.
func TestEachFails(t *testing.T) {
	const shards = 5
	first(t, shards, func(ctx context.Context, s *Shard[*counter]) error {
		var ended [shards]bool
		err := Each(ctx, s.All(), func(ctx context.Context, s *Shard[*counter]) error {
			defer func() { ended[s.Index()] = true }()
			switch s.Index() {
			case 1:
				return errBoom
			case 3:
				new(reactor.Event).Wait(ctx)
				return errors.ErrUnsupported
			}
			return new(reactor.Event).Wait(ctx)
		})
		if got := fmt.Sprint(err); got != "boom\nunsupported operation" || ended != [shards]bool{true, true, true, true, true} {
			t.Errorf("ended: %v; Each returned %q", ended, got)
		}
		return nil
	})
}

func TestMapReduceKeepsTheOrder(t *testing.T) {
	first(t, 5, func(ctx context.Context, s *Shard[*counter]) error {
		got, err := MapReduce(ctx, s.All(), func(ctx context.Context, s *Shard[*counter]) (int, error) {
			for range 10 - s.Index() {
				reactor.Yield(ctx)
			}
			return s.Index(), nil
		}, "", func(a string, i int) string { return a + fmt.Sprint(i) })
		if got != "01234" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		return nil
	})
}

// Messages of one shard to another keep their order, with calls among them.
func TestPostsKeepTheirOrder(t *testing.T) {
	run(t, 3, func(ctx context.Context, s *Shard[*counter]) error {
		to := s.Peer((s.Index() + 1) % 3)
		for i := range 1000 {
			to.Post(func(there *Shard[*counter]) {
				if there.State().n != i {
					t.Errorf("message %d came as number %d", i, there.State().n)
				}
				there.State().n++
			})
		}
		n, err := Call(ctx, to, func(ctx context.Context, s *Shard[*counter]) (int, error) {
			for s.State().n < 1000 {
				reactor.Yield(ctx)
			}
			return s.State().n, nil
		})
		if n != 1000 {
			t.Errorf("%d messages arrived", n)
		}
		return err
	})
}

// A task that outlives its Main may find that other shards have ended.
func TestCallOnAShardThatHasEnded(t *testing.T) {
	var gone error
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		reactor.Go(ctx, func(ctx context.Context) error {
			ctx = context.WithoutCancel(ctx)
			for gone == nil {
				_, gone = Call(ctx, s.Peer(1), count)
			}
			return nil
		})
		return nil
	})
	if !errors.Is(gone, reactor.ErrLoopClosed) {
		t.Errorf("the error is %v", gone)
	}
}

// A function that waits for the task that called it, over two shards, is told so: with
// both tasks.
func TestCallThatWaitsForItsCaller(t *testing.T) {
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		var caller *reactor.Task[int]
		caller = reactor.Async(ctx, func(ctx context.Context) (int, error) {
			return Call(ctx, s.Peer(1), func(ctx context.Context, there *Shard[*counter]) (int, error) {
				return Call(ctx, s, func(ctx context.Context, s *Shard[*counter]) (int, error) { return caller.Await(ctx) })
			})
		})
		caller.SetName("caller")
		_, err := caller.Await(ctx)
		if !errors.Is(err, reactor.ErrSelf) || !strings.Contains(err.Error(), "called by shard 1") || !strings.Contains(err.Error(), "(caller)") {
			t.Errorf("%v", err)
		}
		return nil
	})
}

// A dump of a loop says which shard its tasks wait for.
func TestWaitForACallIsDescribed(t *testing.T) {
	first(t, 2, func(ctx context.Context, s *Shard[*counter]) error {
		_, err := Call(ctx, s.Peer(1), func(ctx context.Context, there *Shard[*counter]) (int, error) {
			return Call(ctx, s, func(ctx context.Context, s *Shard[*counter]) (int, error) {
				v, _ := s.core().Look(nil)
				found := false
				for _, task := range v.Tasks {
					found = found || task.Wait.String() == "a call on shard 1"
				}
				if !found {
					t.Errorf("the tasks are %v", v.Tasks)
				}
				return 0, nil
			})
		})
		return err
	})
}
