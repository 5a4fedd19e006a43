package reactor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor/core"
)

// A runs is a Runner that records its calls.
type runs struct {
	run  func(ctx context.Context) error
	n    int
	over []error
}

func (r *runs) Run(ctx context.Context) error { r.n++; return r.run(ctx) }
func (r *runs) Over(err error)                { r.over = append(r.over, err) }
func (r *runs) String() string                { return "a runner" }

// drained is a Run that reads all there is.
func drained(f *core.FD) func(context.Context) error {
	return func(context.Context) error { f.ReadBlocked(); return nil }
}

// turns takes turns until nothing more happens by itself.
func turns(ctx context.Context) {
	for range 5 {
		Yield(ctx)
	}
}

func TestDormantRunsWhenThereIsSomethingToRead(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		r := &runs{run: drained(f)}
		var d core.Dormant
		d.Start(ctx, f, r)
		turns(ctx)
		if r.n != 0 || !d.Waits() {
			t.Errorf("ran %d times with nothing to read", r.n)
		}
		for range 3 {
			n := r.n
			v.Tell(5, eddy.Readable)
			turns(ctx)
			if r.n != n+1 {
				t.Errorf("ran %d times for one event", r.n-n)
			}
		}
		v.Tell(5, eddy.Writable)
		turns(ctx)
		if r.n != 3 {
			t.Error("ran for room to write")
		}
		f.Close()
		turns(ctx)
		if r.n != 3 || len(r.over) != 1 || r.over[0] != os.ErrClosed {
			t.Errorf("after Close: %d runs, over with %v", r.n, r.over)
		}
		return nil
	})
}

func TestDormantComesAgainForWhatItLeft(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		r := &runs{}
		others := 0
		r.run = func(context.Context) error {
			if r.n == 4 {
				f.ReadBlocked()
			}
			if others++; others > 1 {
				t.Error("ran twice in one turn")
			}
			Facade(l).CallSoon(func() { others = 0 })
			return nil
		}
		new(core.Dormant).Start(ctx, f, r)
		v.Tell(5, eddy.Readable)
		for range 9 {
			Yield(ctx)
		}
		if r.n != 4 {
			t.Errorf("ran %d times, want 4", r.n)
		}
		return f.Close()
	})
}

func TestDormantAwaitsAsATaskDoes(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var ids []uint64
		r := &runs{run: func(ctx context.Context) error {
			task := Current(ctx)
			ids = append(ids, task.ID())
			if name := task.String(); !strings.Contains(name, "a runner") {
				t.Errorf("its task is called %q", name)
			}
			f.ReadBlocked()
			before := Facade(l).Time()
			err := Sleep(ctx, time.Second)
			if got := Facade(l).Time() - before; got != time.Second {
				t.Errorf("slept %v", got)
			}
			child := Async(ctx, func(context.Context) (int, error) { return 7, nil })
			if v, err := child.Await(ctx); v != 7 || err != nil {
				t.Errorf("awaited %v, %v", v, err)
			}
			return err
		}}
		new(core.Dormant).Start(ctx, f, r)
		for range 2 {
			v.Tell(5, eddy.Readable)
			if err := Sleep(ctx, 100*time.Millisecond); err != nil {
				t.Error(err)
			}
			v.Tell(5, eddy.Readable) // while it runs
			if err := Sleep(ctx, 5*time.Second); err != nil {
				t.Error(err)
			}
		}
		if r.n != 4 {
			t.Errorf("ran %d times, want 4: an event during a run makes another", r.n)
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 4 {
			t.Errorf("runs had the same task: %v", ids)
		}
		return f.Close()
	})
}

// A reused task has no state of earlier runs.
func TestDormantTaskIsAsNew(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var ctxs []context.Context
		r := &runs{run: func(ctx context.Context) error {
			ctxs = append(ctxs, ctx)
			f.ReadBlocked()
			return Sleep(ctx, time.Second)
		}}
		new(core.Dormant).Start(ctx, f, r)
		for range 3 {
			v.Tell(5, eddy.Readable)
			Sleep(ctx, 2*time.Second)
		}
		if r.n != 3 || len(r.over) != 0 {
			t.Errorf("%d runs, over %v", r.n, r.over)
		}
		if ctxs[0] != ctxs[1] {
			t.Error("it was not used again: this tests nothing")
		}
		return f.Close()
	})
}

func TestDormantIsOverWhenARunFails(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(context.Context) error
		want func(error) bool
	}{
		"by an error": {func(context.Context) error { return errBoom }, func(err error) bool { return err == errBoom }},
		"by a panic": {func(context.Context) error { panic(errBoom) }, func(err error) bool {
			p, ok := errors.AsType[*PanicError](err)
			return ok && p.Value == errBoom && strings.Contains(p.Task, "a runner")
		}},
	} {
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
			f := openFake(t, ctx, 5)
			r := &runs{run: c.run}
			new(core.Dormant).Start(ctx, f, r)
			v.Tell(5, eddy.Readable)
			turns(ctx)
			v.Tell(5, eddy.Readable)
			turns(ctx)
			f.Close()
			turns(ctx)
			if r.n != 1 || len(r.over) != 1 || !c.want(r.over[0]) {
				t.Errorf("%s: %d runs, over with %v", name, r.n, r.over)
			}
			return nil
		})
	}
}

func TestDormantIsPaused(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		r := &runs{run: drained(f)}
		var d core.Dormant
		d.Start(ctx, f, r)
		d.Pause()
		v.Tell(5, eddy.Readable)
		turns(ctx)
		d.Resume()
		d.Pause() // when it is due
		turns(ctx)
		if r.n != 0 || !d.Waits() {
			t.Errorf("ran %d times while paused; waits: %v", r.n, d.Waits())
		}
		d.Resume()
		d.Resume()
		turns(ctx)
		if r.n != 1 {
			t.Errorf("ran %d times after Resume, want once", r.n)
		}
		d.Pause()
		v.Tell(5, eddy.Readable)
		turns(ctx)
		f.Close()
		turns(ctx)
		if r.n != 1 || len(r.over) != 1 {
			t.Errorf("closed while paused: %d runs, over %v", r.n, r.over)
		}
		return nil
	})
}

func TestDormantRunsForADeadline(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var err error
		r := &runs{run: func(context.Context) error { err = f.WaitRead(); return err }}
		new(core.Dormant).Start(ctx, f, r)
		f.SetReadDeadline(l.WallOf(l.Now()+int64(time.Second), ctx))
		Sleep(ctx, 2*time.Second)
		if err != os.ErrDeadlineExceeded || len(r.over) != 1 || r.over[0] != err {
			t.Errorf("WaitRead: %v, over %v", err, r.over)
		}
		return f.Close()
	})
}

// A run is cancelled with the ctx that the Dormant was started with, and ends
// with the loop.
func TestDormantRunIsCancelled(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		r := &runs{run: func(ctx context.Context) error { return Sleep(ctx, time.Hour) }}
		Scope(ctx, func(inner context.Context, s *CancelScope) error {
			new(core.Dormant).Start(inner, f, r)
			v.Tell(5, eddy.Readable)
			turns(ctx)
			s.Cancel(errBoom)
			turns(ctx)
			return nil
		})
		if len(r.over) != 1 || !errors.Is(r.over[0], errBoom) {
			t.Errorf("over with %v", r.over)
		}
		f.Close()

		g := openFake(t, ctx, 6)
		new(core.Dormant).Start(ctx, g, &runs{run: func(ctx context.Context) error { return Sleep(ctx, time.Hour) }})
		v.Tell(6, eddy.Readable)
		turns(ctx)
		return nil // with that run under way
	})
}

// A program in which only a Dormant waits is not deadlocked.
func TestDormantMayWakeATask(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var done Event
		new(core.Dormant).Start(ctx, f, &runs{run: func(context.Context) error { f.ReadBlocked(); done.Set(); return nil }})
		v.Tell(5, eddy.Readable)
		err := done.Wait(ctx)
		f.Close()
		return err
	})
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		f := openFake(t, ctx, 5)
		new(core.Dormant).Start(ctx, f, &runs{run: drained(f)})
		f.Close()
		turns(ctx)
		return new(Event).Wait(ctx)
	})
	if _, ok := errors.AsType[*DeadlockError](err); !ok {
		t.Errorf("nothing can wake main, since the FD is closed: %v, want a deadlock", err)
	}
}

// The task of a run that other code may refer to is not reused.
func TestDormantTaskIsNotReusedIfKnown(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		keep := func(ctx context.Context) any { return nil }
		var kept []any
		var ctxs []context.Context
		r := &runs{run: func(ctx context.Context) error {
			f.ReadBlocked()
			ctxs = append(ctxs, ctx)
			kept = append(kept, keep(ctx))
			return nil
		}}
		new(core.Dormant).Start(ctx, f, r)
		twice := func(k func(ctx context.Context) any) (reused bool) {
			keep, ctxs = k, nil
			for range 2 {
				v.Tell(5, eddy.Readable)
				turns(ctx)
			}
			return ctxs[0] == ctxs[1]
		}
		if !twice(func(context.Context) any { return nil }) {
			t.Error("the task is not reused, though nobody can know it")
		}
		for name, k := range map[string]func(ctx context.Context) any{
			"Done":      func(ctx context.Context) any { return ctx.Done() },
			"derived":   func(ctx context.Context) any { c, stop := context.WithCancel(ctx); _ = stop; return c },
			"Current":   func(ctx context.Context) any { return Current(ctx) },
			"AllTasks":  func(ctx context.Context) any { return AllTasks(ctx) },
			"a child":   func(ctx context.Context) any { return Go(ctx, func(ctx context.Context) error { return nil }) },
			"SetName":   func(ctx context.Context) any { Current(ctx).(interface{ SetName(string) }).SetName("x"); return nil },
			"a timeout": func(ctx context.Context) any { c, stop := context.WithTimeout(ctx, time.Hour); _ = stop; return c },
		} {
			if twice(k) {
				t.Errorf("%s: the task is used again", name)
			}
		}
		if got := ctxs[0].Err(); got != context.Canceled {
			t.Errorf("a kept ctx of a run that is over: %v", got)
		}
		runtime.KeepAlive(kept)
		return f.Close()
	})
}

func TestDormantMisuse(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		var d core.Dormant
		d.Start(ctx, f, &runs{run: drained(f)})
		for name, misuse := range map[string]func(){
			"started twice":  func() { d.Start(ctx, f, &runs{}) },
			"a foreign ctx":  func() { new(core.Dormant).Start(context.Background(), f, &runs{}) },
			"of a goroutine": func() { inGoroutine(func() { new(core.Dormant).Start(ctx, f, &runs{}) }) },
		} {
			func() {
				defer func() {
					if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "reactor: ") {
						t.Errorf("%s: recovered %v", name, r)
					}
				}()
				misuse()
			}()
		}
		return f.Close()
	})
}

// inGoroutine calls f in a goroutine and panics with what it panics with.
func inGoroutine(f func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	if r := <-done; r != nil {
		panic(r)
	}
}

func TestDormantRunAllocatesNothing(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		f := openFake(t, ctx, 5)
		r := &runs{}
		r.run = func(context.Context) error { // it stays readable: a run each turn
			if r.n > 1000 {
				f.ReadBlocked()
			}
			return nil
		}
		v.Check = nil // its checks allocate
		v.Tell(5, eddy.Readable)
		new(core.Dormant).Start(ctx, f, r)
		for r.n < 100 {
			Yield(ctx)
		}
		n := testing.AllocsPerRun(500, func() { Yield(ctx) })
		if n != 0 {
			t.Errorf("%v allocations for a run", n)
		}
		for r.n <= 1000 {
			Yield(ctx)
		}
		return f.Close()
	})
}
