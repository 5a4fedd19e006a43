package reactor

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What is cancelled stands in no list any more: whoever registers and cancels
// for ever keeps nothing.
func TestCancelUnlinks(t *testing.T) {
	a, b := socketPair(t)
	defer unix.Close(a)
	defer unix.Close(b)
	warm := make(chan os.Signal, 1) // so that package signal has its goroutine
	signal.Notify(warm, syscall.SIGUSR2)
	defer signal.Stop(warm)
	foreign, cancel := context.WithCancel(context.Background())
	defer cancel()
	run(t, func(ctx context.Context) error {
		l := nearest(ctx).loop
		var never Event
		task := Go(ctx, never.Wait)
		Yield(ctx)
		timer := stopped(l, func() {})
		for name, c := range map[string]struct {
			pair func()     // registers and cancels
			left func() int // how many still stand in the list
		}{
			"Task.OnDone": {func() { task.OnDone(func() {}).Cancel() }, task.waiters.len},
			"CallLater":   {func() { facadeOf(l).CallLater(time.Hour, func() {}).Stop() }, l.wheel.Len},
			"CallAt":      {func() { facadeOf(l).CallAt(time.Hour, func() {}).Stop() }, l.wheel.Len},
			"CallSoon":    {func() { facadeOf(l).CallSoon(func() {}).Cancel(); Yield(ctx) }, func() int { return l.ready.n }},
			"Timer":       {func() { timer.Reset(time.Hour); timer.Stop() }, l.wheel.Len},
			"AddReader": {func() { facadeOf(l).AddReader(a, func() {}); facadeOf(l).RemoveReader(a) },
				func() int { return len(facadeOf(l).watchers[0]) + l.fds.n + l.ioWaits }},
			"AddWriter": {func() { facadeOf(l).AddWriter(a, func() {}); facadeOf(l).RemoveWriter(a) },
				func() int { return len(facadeOf(l).watchers[1]) + l.fds.n + l.ioWaits }},
			"OnSignal": {func() { OnSignal(ctx, func(os.Signal) {}, syscall.SIGUSR2)() },
				func() int { return len(facadeOf(l).signals) + l.outsiders }},
			"context.AfterFunc": {func() { context.AfterFunc(ctx, func() {})() },
				func() int { return nearest(ctx).watched().funcs.Len() }},
			"Wait": {func() { Wait(doneCtx(ctx), AllDone, task) }, task.waiters.len},
			"Wait, cancelled while it waits": {func() {
				Timeout(ctx, 1, func(ctx context.Context) error { _, _, err := Wait(ctx, AllDone, task); return err })
			}, task.waiters.len},
			"AsCompleted, left": {func() {
				done := Go(ctx, Yield)
				for range AsCompleted(ctx, done, task) {
					break
				}
			}, task.waiters.len},
			"Task.Wait, cancelled": {func() { Timeout(ctx, 1, task.Wait) }, task.waiters.len},
			"a foreign ctx": {func() {
				Go(ctx, func(ctx context.Context) error {
					mixed, cancel := context.WithCancel(&mixedCtx{ctx, foreign})
					defer cancel()
					return never.Wait(doneCtx(mixed))
				}).Wait(ctx)
			}, func() int { return l.outsiders }},
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
