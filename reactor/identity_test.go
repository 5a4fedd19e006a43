package reactor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor/core"
)

// suspending are calls that only the running task may make.
func suspending(ctx context.Context) map[string]func() {
	var f Future[int]
	return map[string]func(){
		"Sleep":        func() { Sleep(ctx, 1) },
		"Yield":        func() { Yield(ctx) },
		"Timeout":      func() { Timeout(ctx, 1, func(context.Context) error { return nil }) },
		"Group":        func() { Group(ctx, func(context.Context, *TaskGroup) error { return nil }) },
		"Gather":       func() { Gather[int](ctx) },
		"ToThread":     func() { ToThread(ctx, func(context.Context) (int, error) { return 0, nil }) },
		"Future.Await": func() { f.Await(ctx) },
		"WaitReadable": func() { WaitReadable(ctx, 0) },
		"WaitWritable": func() { WaitWritable(ctx, 0) },
	}
}

// scheduling are calls that callbacks may make too.
func scheduling(ctx context.Context, f *core.FD) map[string]func() {
	nothing := func(context.Context) error { return nil }
	m := map[string]func(){
		"Go":          func() { Go(ctx, nothing) },
		"Async":       func() { Async(ctx, func(context.Context) (int, error) { return 0, nil }) },
		"FD.OpenKind": func() { new(core.FD).OpenKind(ctx, 1<<20, &core.FDKind{Close: func(int) error { return nil }}) },
	}
	if s := core.Nearest(ctx); s != nil {
		l := s.Loop()
		m["CallSoon"] = func() { Facade(l).CallSoon(func() {}) }
		m["CallLater"] = func() { Facade(l).CallLater(1, func() {}) }
		m["CallAt"] = func() { Facade(l).CallAt(1, func() {}) }
		m["FD.Close"] = func() { f.Close() }
		m["setting a deadline"] = func() { f.SetReadDeadline(time.Time{}) }
	}
	return m
}

func wantPanics(t *testing.T, calls map[string]func(), sentence string) {
	t.Helper()
	for name, f := range calls {
		text := panics(f)
		if !strings.Contains(text, "reactor: "+name) || !strings.Contains(text, sentence) {
			t.Errorf("%s: %q, want %q", name, text, sentence)
		}
	}
}

func TestMisuseOutsideATask(t *testing.T) {
	wantPanics(t, suspending(context.Background()), "outside a task")
	wantPanics(t, scheduling(context.Background(), nil), "outside a task")
}

func TestMisuseInACallback(t *testing.T) {
	run(t, func(ctx context.Context) error {
		LoopOf(ctx).CallSoon(func() {
			wantPanics(t, suspending(ctx), "in a callback")
			if core.InTask(ctx) {
				t.Error("a callback is no task")
			}
		})
		return Yield(ctx)
	})
}

func TestMisuseFromAnotherGoroutine(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		f, peer := openPair(t, ctx)
		done := make(chan bool)
		go func() {
			defer close(done)
			wantPanics(t, suspending(ctx), "from a goroutine that is not the running task")
			wantPanics(t, scheduling(ctx, f), "from a goroutine that is not the running task")
			if core.InTask(ctx) || f.OnLoop() {
				t.Error("another goroutine is not on the loop")
			}
		}()
		_, err := ToThread(ctx, func(context.Context) (int, error) { <-done; return 0, nil })
		checkNow(t, core.Nearest(ctx).Loop())
		if !core.InTask(ctx) || !f.OnLoop() || core.InTask(context.Background()) {
			t.Error("InTask or OnLoop is wrong in a task")
		}
		f.Close()
		closeFD(peer)
		return err
	})
}

// A refused call does not affect a group.
func TestMisuseOfAGroupFromAnotherGoroutine(t *testing.T) {
	runReal(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			_, err := ToThread(ctx, func(context.Context) (int, error) {
				if text := panics(func() { g.Go(func(context.Context) error { return nil }) }); !strings.Contains(text, "not the running task") {
					t.Errorf("got %q", text)
				}
				return 0, nil
			})
			if g.n != 0 {
				t.Errorf("%d tasks counted", g.n)
				g.n = 0
			}
			return err
		})
	})
}

func TestMisuseOfALoopThatHasEnded(t *testing.T) {
	var kept context.Context
	var f *core.FD
	runReal(t, func(ctx context.Context) error {
		var peer int
		kept = ctx
		f, peer = openPair(t, ctx)
		return closeFD(peer)
	})
	wantPanics(t, suspending(kept), "ended")
	wantPanics(t, scheduling(kept, f), "ended")
	if core.InTask(kept) || kept.Err() == nil {
		t.Error("an ended loop's ctx")
	}
	if err := LoopOf(kept).Post(func() {}); err != ErrLoopClosed {
		t.Errorf("Post: %v", err)
	}
}

func TestSuspendingInsideAGenerator(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		g := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
			for i := range 3 {
				Sleep(ctx, time.Second) // suspends the whole task
				if err := Go(ctx, func(ctx context.Context) error { return Yield(ctx) }).Wait(ctx); err != nil {
					return struct{}{}, err
				}
				if _, err := y.Yield(i); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, Run(context.Background(), func(context.Context) error { return nil })
		})
		var got []int
		for v, err := range g.All() {
			if err != nil {
				if !strings.Contains(err.Error(), "Run called inside a task") {
					t.Error(err)
				}
				break
			}
			got = append(got, v)
			Sleep(ctx, time.Second)
		}
		if len(got) != 3 || Facade(l).Time() != 6*time.Second {
			t.Errorf("%v at %v", got, Facade(l).Time())
		}
		checkNow(t, l)
		return nil
	})
}

// A cancellation reaches a task that is parked inside a generator's body.
func TestCancellationInsideAGenerator(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error {
			g := coro.New(func(y *coro.Yielder[int, struct{}]) (struct{}, error) {
				return struct{}{}, Sleep(ctx, time.Hour)
			})
			_, err := g.Next()
			return err
		})
		yields(ctx, 2)
		task.Cancel(nil)
		if err := task.Wait(ctx); err != context.Canceled {
			t.Errorf("got %v", err)
		}
		return nil
	})
}
