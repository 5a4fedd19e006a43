package reactor

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A frame between a call that suspends and the switch of coroutines is paid for at each
// suspension, and kept on the stack of each task that is parked.
func TestFramesBetweenACallAndItsSwitch(t *testing.T) {
	var event Event
	var future Future[int]
	var queue Queue[int]
	var mutex Mutex
	for name, c := range map[string]struct {
		f      func(ctx context.Context, main *Task[int]) error
		frames int // with that of the call itself
	}{
		"Sleep": {func(ctx context.Context, _ *Task[int]) error { return Sleep(ctx, time.Hour) }, 4},
		"Yield": {func(ctx context.Context, _ *Task[int]) error {
			for ctx.Err() == nil {
				Yield(ctx)
			}
			return nil
		}, 3},
		"Event.Wait":   {func(ctx context.Context, _ *Task[int]) error { return event.Wait(ctx) }, 4},
		"Future.Await": {func(ctx context.Context, _ *Task[int]) error { _, err := future.Await(ctx); return err }, 4},
		"Queue.Get":    {func(ctx context.Context, _ *Task[int]) error { _, err := queue.Get(ctx); return err }, 4},
		"Mutex.Lock":   {func(ctx context.Context, _ *Task[int]) error { return mutex.Lock(ctx) }, 5},
		"Task.Wait":    {func(ctx context.Context, main *Task[int]) error { return main.Wait(ctx) }, 3},
	} {
		run(t, func(ctx context.Context) error {
			endless := Async(ctx, func(ctx context.Context) (int, error) { return 0, Sleep(ctx, time.Hour) })
			holder := Go(ctx, func(ctx context.Context) error { mutex.Lock(ctx); defer mutex.Unlock(); return Sleep(ctx, time.Hour) })
			Yield(ctx)
			task := Go(ctx, func(ctx context.Context) error { return marked(func() error { return c.f(ctx, endless) }) })
			yields(ctx, 3)
			if n := framesToSwitch(t); n == 0 || n > c.frames {
				t.Errorf("%s: %d frames, want %d", name, n, c.frames)
			}
			for _, task := range []AnyTask{task, endless, holder} {
				task.Cancel(nil)
				task.Wait(ctx)
			}
			return nil
		})
		event, future, queue, mutex = Event{}, Future[int]{}, Queue[int]{}, Mutex{}
	}
}

// marked calls f, and is found on the stack by its name.
//
//go:noinline
func marked(f func() error) error { return f() }

// framesToSwitch counts the frames of this package and of core in the goroutine that has
// marked on its stack, above the test's own, inlined calls not counted.
func framesToSwitch(t *testing.T) (n int) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		top, _, found := strings.Cut(g, "reactor.marked(")
		if !found {
			continue
		}
		for line := range strings.Lines(top) {
			name, args, isCall := strings.Cut(strings.TrimSpace(line), "({")
			if !isCall {
				name, args, isCall = strings.Cut(strings.TrimSpace(line), "(0x")
			}
			if isCall && args != "" && strings.Contains(name, "eddy/reactor") && !strings.Contains(name, "TestFrames") {
				n++
			}
		}
	}
	return n
}
