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
	"github.com/eddyio/eddy/coro"
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

// TestGoexitAtTheEnd: a Runner exits when main has returned.
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
}

// waysToExit are all places but main where runtime.Goexit can be called: how code gets
// there, the error that the one who awaits it gets, if any, and what is reported.
var waysToExit = []struct {
	name     string
	run      func(ctx context.Context) error
	err      bool // the error is ErrGoexit
	reported string
}{
	{"Go", func(ctx context.Context) error {
		return Go(ctx, func(context.Context) error { runtime.Goexit(); return nil }).Wait(ctx)
	}, true, ""},
	{"Go, later", func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error { yields(ctx, 3); runtime.Goexit(); return nil }).Wait(ctx)
	}, true, ""},
	{"Go, awaiting while it exits", func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error { defer yields(ctx, 3); runtime.Goexit(); return nil }).Wait(ctx)
	}, true, ""},
	{"Go, of which nobody asks", func(ctx context.Context) error {
		Go(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		return nil
	}, false, "nobody awaited it"},
	{"Go, asked later", func(ctx context.Context) error {
		task := Go(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		yields(ctx, 1)
		_, err := task.Result()
		return err
	}, true, ""},
	{"Async", func(ctx context.Context) error {
		_, err := Async(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }).Await(ctx)
		return err
	}, true, ""},
	{"GoNow", func(ctx context.Context) error {
		return GoNow(ctx, func(context.Context) error { runtime.Goexit(); return nil }).Wait(ctx)
	}, true, ""},
	{"AsyncNow", func(ctx context.Context) error {
		_, err := AsyncNow(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil }).Await(ctx)
		return err
	}, true, ""},
	{"Group", func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(context.Context) error { runtime.Goexit(); return nil })
			g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
			return Sleep(ctx, time.Hour)
		})
	}, true, ""},
	{"the body of a Group", func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error {
			return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
				g.Go(func(ctx context.Context) error { return Sleep(ctx, time.Hour) })
				Yield(ctx)
				runtime.Goexit()
				return nil
			})
		}).Wait(ctx)
	}, true, ""},
	{"GoService", func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.GoService(func(context.Context) error { runtime.Goexit(); return nil })
			return Sleep(ctx, time.Hour)
		})
	}, true, ""},
	{"Supervisor", func(ctx context.Context) error {
		return Supervisor{}.Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			g.Go(func(context.Context) error { runtime.Goexit(); return nil })
			return Sleep(ctx, time.Second)
		})
	}, false, "supervised"},
	{"Gather", func(ctx context.Context) error {
		_, err := Gather(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return err
	}, true, ""},
	{"GatherAll", func(ctx context.Context) error {
		o, err := GatherAll(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return errors.Join(o[0].Err, err)
	}, true, ""},
	{"GatherUntil", func(ctx context.Context) error {
		o, err := GatherUntil(ctx, func(int, Outcome[int]) bool { return true },
			func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return errors.Join(o[0].Err, err)
	}, true, ""},
	{"Race", func(ctx context.Context) error {
		_, err := Race(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return err
	}, true, ""},
	{"Any, beside a winner", func(ctx context.Context) error {
		_, err := Any(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil },
			func(ctx context.Context) (int, error) { yields(ctx, 3); return 2, nil })
		return err
	}, true, ""},
	{"Start", func(ctx context.Context) error {
		_, err := Start(ctx, nil, func(context.Context, func(int)) error { runtime.Goexit(); return nil })
		return err
	}, true, ""},
	{"Timeout", func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error {
			return Timeout(ctx, time.Second, func(context.Context) error { runtime.Goexit(); return nil })
		}).Wait(ctx)
	}, true, ""},
	{"ToThread", func(ctx context.Context) error {
		_, err := ToThread(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return err
	}, true, ""},
	{"Submit", func(ctx context.Context) error {
		wait := Submit(LoopOf(ctx), func(context.Context) (int, error) { runtime.Goexit(); return 1, nil })
		return Go(ctx, func(ctx context.Context) error {
			_, err := ToThread(ctx, wait)
			return err
		}).Wait(ctx)
	}, true, ""},
	{"a generator's body", func(ctx context.Context) error {
		return Go(ctx, func(ctx context.Context) error {
			for range exitingGenerator(ctx).All() {
			}
			return nil
		}).Wait(ctx)
	}, true, ""},
	{"CallSoon", func(ctx context.Context) error {
		LoopOf(ctx).CallSoon(runtime.Goexit)
		return nil
	}, false, "a callback called runtime.Goexit"},
	{"CallLater", func(ctx context.Context) error {
		LoopOf(ctx).CallLater(time.Millisecond, runtime.Goexit)
		return nil
	}, false, "a callback called runtime.Goexit"},
	{"OnDone", func(ctx context.Context) error {
		Go(ctx, func(context.Context) error { return nil }).OnDone(runtime.Goexit)
		return nil
	}, false, "a callback called runtime.Goexit"},
	{"Post", func(ctx context.Context) error {
		return LoopOf(ctx).Post(runtime.Goexit)
	}, false, "a callback called runtime.Goexit"},
	{"the end of a Runner", func(ctx context.Context) error {
		core.Launch(ctx, overExits{})
		return nil
	}, false, "a callback called runtime.Goexit"},
}

// overExits is a Runner whose Over exits.
type overExits struct{}

func (overExits) Run(context.Context) error { return nil }
func (overExits) Over(error)                { runtime.Goexit() }

// exitingGenerator returns a generator whose body awaits, yields, and exits.
func exitingGenerator(ctx context.Context) *coro.Simple[int] {
	return GenerateSimple(ctx, func(ctx context.Context, yield func(int) error) error {
		Yield(ctx)
		yield(1)
		Yield(ctx)
		runtime.Goexit()
		return nil
	})
}

// TestGoexitElsewhere ends what called it alone, be it a task, a callback or a function
// in a thread. Whoever awaits that gets an error; else there is a report, at once.
func TestGoexitElsewhere(t *testing.T) {
	for _, way := range waysToExit {
		t.Run(way.name, func(t *testing.T) {
			var told reports
			bystander := 0
			err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
				Go(ctx, func(ctx context.Context) error {
					for Sleep(ctx, time.Second) == nil {
						bystander++
					}
					return nil
				})
				for range 3 {
					if err := way.run(ctx); errors.Is(err, ErrGoexit) != way.err || err != nil && !way.err {
						t.Error(err)
					}
				}
				Sleep(ctx, time.Minute)
				want := 3
				if way.reported == "" {
					want = 0
				}
				if len(told) != want || told.count(way.reported) != want {
					t.Errorf("told %v", told)
				}
				if bystander < 59 {
					t.Errorf("another task went %d steps", bystander)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGoexitInALocalsEnd: it is called by Run itself, whose goroutine exits, when all the
// rest has been freed.
func TestGoexitInALocalsEnd(t *testing.T) {
	ended := 0
	first := Local[int]{End: func(*int) { ended++ }}
	exiting := Local[int]{End: func(*int) { runtime.Goexit() }}
	last := Local[int]{End: func(*int) { ended++ }}
	if !exits(func() {
		setup{world: newWorld(t)}.run(t, func(ctx context.Context) error {
			for _, v := range []*Local[int]{&first, &exiting, &last, &exiting} {
				v.On(LoopOf(ctx))
			}
			return nil
		})
	}) || ended != 2 {
		t.Errorf("%d ended", ended)
	}
}

// TestGoexitError has the task's name and the place of the call, and does not call it a
// panic.
func TestGoexitError(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		task.SetName("the leaver")
		err := task.Wait(ctx)
		if s := err.Error(); !strings.Contains(s, "(the leaver) called runtime.Goexit\n") || strings.Contains(s, "panicked") || !strings.Contains(s, "goexit_test.go") {
			t.Error(s)
		}
		return nil
	})
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
