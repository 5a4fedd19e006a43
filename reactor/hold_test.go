package reactor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Queries do not change the loop: a task that waits for itself is detected,
// whatever was called before.
func TestLookingAtALoopKeepsDeadlockDetection(t *testing.T) {
	looks := map[string]func(ctx context.Context){
		"LoopOf":   func(ctx context.Context) { LoopOf(ctx) },
		"CallSoon": func(ctx context.Context) { LoopOf(ctx).CallSoon(func() {}) },
		"Now":      func(ctx context.Context) { LoopOf(ctx).Time() },
		"Post":     func(ctx context.Context) { LoopOf(ctx).Post(func() {}) },
		"Submit": func(ctx context.Context) {
			Submit(LoopOf(ctx), func(context.Context) (int, error) { return 0, nil })
		},
		"another goroutine": func(ctx context.Context) {
			ToThread(ctx, func(context.Context) (*Loop, error) { return LoopOf(ctx), nil })
		},
		"Hold and release": func(ctx context.Context) { LoopOf(ctx).Hold()() },
		"the wrong release": func(ctx context.Context) {
			release := LoopOf(ctx).Hold()
			release()
			release() // once more: it must not undo another's
			LoopOf(ctx).Hold()()
		},
	}
	for name, look := range looks {
		t.Run(name, func(t *testing.T) {
			err := setup{}.run(t, func(ctx context.Context) error {
				look(ctx)
				return new(Event).Wait(ctx)
			})
			if _, ok := errors.AsType[*DeadlockError](err); !ok {
				t.Errorf("Run returned %v", err)
			}
		})
	}
	t.Run("Guest.Loop", func(t *testing.T) {
		var f Future[int]
		err := setup{}.host(t, waitForever(&f), func(g *Guest) {
			g.Loop()
			g.Run()
		})
		if _, ok := errors.AsType[*DeadlockError](err); !ok {
			t.Errorf("End returned %v", err)
		}
	})
}

// A goroutine holds the loop, posts, and releases it, again and again: no order
// of these is reported as a deadlock, although nothing else may wake main.
func TestHoldUntilTheLastPost(t *testing.T) {
	for range 300 {
		runReal(t, func(ctx context.Context) error {
			var f Future[int]
			l := LoopOf(ctx)
			release := l.Hold()
			go func() {
				l.Post(func() { f.SetResult(1) })
				release()
			}()
			_, err := f.Await(ctx)
			return err
		})
	}
}

// A hold does not keep a loop from ending, and may outlive it.
func TestHoldDoesNotKeepALoopAlive(t *testing.T) {
	var release func()
	runReal(t, func(ctx context.Context) error {
		release = LoopOf(ctx).Hold()
		return nil
	})
	release()
}

// Main waits for the end of the ctx that Run got, and for nothing else: that
// can happen, so the loop waits, and reports that there is nothing else.
func TestRunsOwnCtxIsNoDeadlock(t *testing.T) {
	guardSignals(t)
	ends := map[string]func(t *testing.T) context.Context{
		"cancel": func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx
		},
		"deadline": func(t *testing.T) context.Context {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		},
		"signal": func(t *testing.T) context.Context {
			ctx, stop := signal.NotifyContext(context.Background(), unix.SIGUSR2)
			t.Cleanup(stop)
			self, _ := os.FindProcess(os.Getpid())
			time.AfterFunc(20*time.Millisecond, func() { self.Signal(unix.SIGUSR2) })
			return ctx
		},
	}
	waits := map[string]func(ctx context.Context) error{
		"an event": func(ctx context.Context) error { return new(Event).Wait(ctx) },
		"a task": func(ctx context.Context) error {
			var f Future[int]
			return Go(ctx, waitForever(&f)).Wait(ctx)
		},
		"a scope": func(ctx context.Context) error {
			return Scope(ctx, func(ctx context.Context, _ *CancelScope) error { return new(Event).Wait(ctx) })
		},
	}
	for end, begin := range ends {
		for name, wait := range waits {
			t.Run(end+"/"+name, func(t *testing.T) {
				j := new(journal)
				ctx := begin(t)
				err := setup{ctx: ctx, log: j}.run(t, wait)
				if !errors.Is(err, ctx.Err()) || ctx.Err() == nil {
					t.Errorf("Run returned %v, and its ctx ended with %v", err, ctx.Err())
				}
				if j.count("only the end of Run's ctx can wake a task now") != 1 || j.count("task 1 ") != 1 {
					t.Errorf("logged: %q", j.all())
				}
			})
		}
	}
}

// Where the ctx of Run can't be done, or wakes nobody, a deadlock is one.
func TestRunsOwnCtxThatWakesNobody(t *testing.T) {
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		wait func(ctx context.Context) error
	}{
		"background": {context.Background(), func(ctx context.Context) error { return new(Event).Wait(ctx) }},
		"values":     {context.WithValue(context.Background(), valueKey{}, 2), func(ctx context.Context) error { return new(Event).Wait(ctx) }},
		"shielded":   {cancellable, func(ctx context.Context) error { return new(Event).Wait(context.WithoutCancel(ctx)) }},
	} {
		t.Run(name, func(t *testing.T) {
			err := setup{ctx: c.ctx, log: new(journal)}.run(t, c.wait)
			if _, ok := errors.AsType[*DeadlockError](err); !ok {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}
