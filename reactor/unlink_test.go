package reactor

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"

	"golang.org/x/sys/unix"
)

// Cancelled entries are in no list any more: registering and cancelling forever
// accumulates nothing.
func TestCancelUnlinks(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	warm := make(chan os.Signal, 1) // so that package signal has its goroutine
	signal.Notify(warm, syscall.SIGUSR2)
	defer signal.Stop(warm)
	foreign, cancel := context.WithCancel(context.Background())
	defer cancel()
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		var never Event
		task := Go(ctx, never.Wait)
		Yield(ctx)
		timer := stopped(l, func() {})
		timers := func() int { return l.Holdings().Timers }
		for name, c := range map[string]struct {
			pair func()     // registers and cancels
			left func() int // how many still stand in the list
		}{
			"Task.OnDone": {func() { task.OnDone(func() {}).Cancel() }, task.record().Waiters().Len},
			"CallLater":   {func() { Facade(l).CallLater(time.Hour, func() {}).Stop() }, timers},
			"CallAt":      {func() { Facade(l).CallAt(time.Hour, func() {}).Stop() }, timers},
			"CallSoon":    {func() { Facade(l).CallSoon(func() {}).Cancel(); Yield(ctx) }, func() int { return l.Holdings().Ready }},
			"Timer":       {func() { timer.Reset(time.Hour); timer.Stop() }, timers},
			"AddReader": {func() { Facade(l).AddReader(a, func() {}); Facade(l).RemoveReader(a) },
				func() int { return len(Facade(l).watchers[0]) + l.Holdings().FDs + l.Holdings().FDWaits }},
			"AddWriter": {func() { Facade(l).AddWriter(a, func() {}); Facade(l).RemoveWriter(a) },
				func() int { return len(Facade(l).watchers[1]) + l.Holdings().FDs + l.Holdings().FDWaits }},
			"OnSignal": {func() { OnSignal(ctx, func(os.Signal) {}, syscall.SIGUSR2)() },
				func() int { return len(Facade(l).signals) + l.Holdings().Outside }},
			"Wait": {func() { Wait(doneCtx(ctx), AllDone, task) }, task.record().Waiters().Len},
			"Wait, cancelled while it waits": {func() {
				Timeout(ctx, 1, func(ctx context.Context) error { _, _, err := Wait(ctx, AllDone, task); return err })
			}, task.record().Waiters().Len},
			"AsCompleted, left": {func() {
				done := Go(ctx, Yield)
				for range AsCompleted(ctx, done, task) {
					break
				}
			}, task.record().Waiters().Len},
			"Task.Wait, cancelled": {func() { Timeout(ctx, 1, task.Wait) }, task.record().Waiters().Len},
			"a foreign ctx": {func() {
				Go(ctx, func(ctx context.Context) error {
					mixed, cancel := context.WithCancel(&mixedCtx{ctx, foreign})
					defer cancel()
					return never.Wait(doneCtx(mixed))
				}).Wait(ctx)
			}, func() int { return l.Holdings().Outside }},
		} {
			before := c.left()
			for range 10 {
				c.pair()
			}
			if n := c.left() - before; n != 0 {
				t.Errorf("%s: %d of 10 still stand in a list", name, n)
			}
		}
		never.Set()
		return task.Wait(ctx)
	})
}

// mixedCtx is cancelled with another context than that of its values.
type mixedCtx struct {
	context.Context
	done context.Context
}

func (c *mixedCtx) Done() <-chan struct{} { return c.done.Done() }
func (c *mixedCtx) Err() error            { return c.done.Err() }
