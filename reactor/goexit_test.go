package reactor

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// isGoexit reports whether err is what a Runner ends with that calls runtime.Goexit.
func isGoexit(err error) bool {
	p, ok := errors.AsType[*PanicError](err)
	return ok && errors.Is(p, core.ErrGoexit) && strings.Contains(p.Task, "a runner") && strings.Contains(string(p.Stack), "goexit_test.go")
}

// TestGoexitInARunner: it ends that Runner alone, wherever its goroutine has been, and
// whatever the others do: they wait, begin, end, and exit themselves.
func TestGoexitInARunner(t *testing.T) {
	for seed := range uint64(30) {
		dice := rand.New(rand.NewPCG(seed, 1))
		finished, exited := 0, 0
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
			const n = 100
			var runners []*runs
			for range n {
				before, after, exits := dice.IntN(4), dice.IntN(4), dice.IntN(2) == 0
				nap := time.Duration(dice.IntN(3)) * time.Millisecond
				r := &runs{run: func(ctx context.Context) error {
					yields(ctx, before)
					Sleep(ctx, nap)
					if exits {
						exited++
						defer yields(ctx, after)
						runtime.Goexit()
					}
					yields(ctx, after)
					finished++
					return nil
				}}
				runners = append(runners, r)
				core.Launch(ctx, r)
				yields(ctx, dice.IntN(2))
			}
			Sleep(ctx, time.Second)
			for i, r := range runners {
				if len(r.over) != 1 || r.over[0] != nil && !isGoexit(r.over[0]) {
					t.Fatalf("seed %d: runner %d is over with %v", seed, i, r.over)
				}
			}
			if finished+exited != n || exited == 0 || finished == 0 {
				t.Errorf("seed %d: %d finished and %d exited of %d", seed, finished, exited, n)
			}
			if msg := l.Check(); msg != nil {
				t.Error(msg)
			}
			return nil
		})
	}
}

func TestGoexitInADormant(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		bad, good := openFake(t, ctx, 5), openFake(t, ctx, 6)
		exits := &runs{run: func(ctx context.Context) error { Yield(ctx); runtime.Goexit(); return nil }}
		serves := &runs{run: drained(good)}
		var d, e core.Dormant
		d.Start(ctx, bad, exits)
		e.Start(ctx, good, serves)
		turns(ctx)
		for range 3 {
			v.Tell(5, eddy.Readable)
			v.Tell(6, eddy.Readable)
			turns(ctx)
		}
		if len(exits.over) != 1 || !isGoexit(exits.over[0]) || serves.n != 3 {
			t.Errorf("over with %v; the other ran %d times", exits.over, serves.n)
		}
		bad.Close()
		good.Close()
		turns(ctx)
		return nil
	})
}

// TestGoexitAtTheEnd: a Runner exits when main has returned, and beside tasks that
// exit, which is not contained.
func TestGoexitAtTheEnd(t *testing.T) {
	defer testkit.LeakCheck(t)()
	r := &runs{run: func(ctx context.Context) error {
		Sleep(ctx, time.Hour)
		Yield(context.WithoutCancel(ctx))
		runtime.Goexit()
		return nil
	}}
	err := setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
		core.Launch(ctx, r)
		return Yield(ctx)
	})
	if err != nil || len(r.over) != 1 || !isGoexit(r.over[0]) {
		t.Errorf("%v, over with %v", err, r.over)
	}
	if !exits(func() {
		setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
			for range 3 {
				core.Launch(ctx, &runs{run: func(ctx context.Context) error { yields(ctx, 2); runtime.Goexit(); return nil }})
				Go(ctx, func(ctx context.Context) error { yields(ctx, 2); runtime.Goexit(); return nil })
			}
			return Sleep(ctx, time.Hour)
		})
	}) {
		t.Error("a task's Goexit was survived")
	}
}

// TestManyGoexits leaves no goroutine and no memory, be it of the heap or of stacks.
func TestManyGoexits(t *testing.T) {
	const n = 10_000
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		r := &runs{run: func(ctx context.Context) error { Yield(ctx); runtime.Goexit(); return nil }}
		burst := func(n int) {
			for range n / 10 {
				for range 10 {
					core.Launch(ctx, r)
				}
				yields(ctx, 4)
				r.over = r.over[:0]
			}
		}
		burst(1000)
		goroutines, memory := testkit.Goroutines(), inUse()
		burst(n)
		if g := testkit.Goroutines(); g > goroutines+20 {
			t.Errorf("%d goroutines, were %d", g, goroutines)
		}
		if m := inUse(); m > memory+1<<20 {
			t.Errorf("%d bytes in use, were %d", m, memory)
		}
		return nil
	})
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
