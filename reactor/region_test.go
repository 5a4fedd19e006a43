package reactor

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/reactor/core"
)

// A stepper has a body that yields inside a region.
type stepper struct {
	next  func()
	close func()
}

// within returns steppers of every kind that the platform has, whose body enters a region, yields in it,
// and leaves it when it is closed.
var within = map[string]func(ctx context.Context, enter func(ctx context.Context, f func(ctx context.Context) error) error) stepper{
	"Generate": func(ctx context.Context, enter func(context.Context, func(context.Context) error) error) stepper {
		g := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (none struct{}, err error) {
			return none, enter(ctx, func(ctx context.Context) error {
				_, err := y.Yield(1)
				return err
			})
		})
		return stepper{func() { g.Next() }, func() { g.Close() }}
	},
	"coro.New": func(ctx context.Context, enter func(context.Context, func(context.Context) error) error) stepper {
		g := coro.New(func(y *coro.Yielder[int, int]) (none struct{}, err error) {
			return none, enter(ctx, func(ctx context.Context) error {
				_, err := y.Yield(1)
				return err
			})
		})
		return stepper{func() { g.Next() }, func() { g.Close() }}
	},
}

// regions are the ways to enter a region.
var regions = map[string]func(ctx context.Context, f func(ctx context.Context) error) error{
	"Timeout": func(ctx context.Context, f func(ctx context.Context) error) error { return Timeout(ctx, time.Hour, f) },
	"Scope": func(ctx context.Context, f func(ctx context.Context) error) error {
		return Scope(ctx, func(ctx context.Context, _ *CancelScope) error { return f(ctx) })
	},
	"Group": func(ctx context.Context, f func(ctx context.Context) error) error {
		return Group(ctx, func(ctx context.Context, _ *TaskGroup) error { return f(ctx) })
	},
}

// eachWithin runs a test for every kind of coroutine and of region.
func eachWithin(t *testing.T, test func(t *testing.T, ctx context.Context, begin func(ctx context.Context) stepper)) {
	for kind, stepperOf := range within {
		for name, enter := range regions {
			t.Run(kind+"/"+name, func(t *testing.T) {
				run(t, func(ctx context.Context) error {
					test(t, ctx, func(ctx context.Context) stepper { return stepperOf(ctx, enter) })
					checkNow(t, core.Nearest(ctx).Loop())
					return nil
				})
			})
		}
	}
}

// wantScope checks that operations without a ctx obey ctx.
func wantScope(t *testing.T, ctx context.Context, when string) {
	t.Helper()
	if here := core.Here(ctx); here != ctx || here.Err() != nil {
		t.Errorf("%s: the innermost scope is another one, with the error %v", when, here.Err())
	}
}

// Two bodies that yield within a region, closed in the order in which they
// began, do not change their driver's region.
func TestRegionsLeftInAnyOrder(t *testing.T) {
	eachWithin(t, func(t *testing.T, ctx context.Context, begin func(context.Context) stepper) {
		a, b, c := begin(ctx), begin(ctx), begin(ctx)
		for _, s := range []stepper{a, b, c} {
			s.next()
		}
		for _, s := range []stepper{a, c, b} {
			s.close()
		}
		wantScope(t, ctx, "when all are closed")
		Timeout(ctx, time.Hour, func(ctx context.Context) error {
			d := begin(ctx)
			d.next()
			return Timeout(ctx, time.Hour, func(inner context.Context) error {
				d.close()
				wantScope(t, inner, "within a region entered later")
				return nil
			})
		})
		wantScope(t, ctx, "outside again")
	})
}

// A region that one task enters and another leaves affects neither the other
// one nor the task that runs on the first one's worker by then.
func TestRegionsLeftByAnotherTask(t *testing.T) {
	eachWithin(t, func(t *testing.T, ctx context.Context, begin func(context.Context) stepper) {
		var s stepper
		var its *core.Worker
		GoNow(ctx, func(context.Context) error {
			its, _, _ = core.Await(ctx, "test")
			s = begin(ctx)
			s.next()
			return nil
		}).Wait(ctx)
		var quit Event
		innocent := GoNow(ctx, func(ctx context.Context) error { // it gets the first one's worker
			if w, _, _ := core.Await(ctx, "test"); w != its {
				t.Error("the test is void: it has another worker")
			}
			return Timeout(ctx, time.Hour, func(ctx context.Context) error {
				quit.Wait(ctx)
				wantScope(t, ctx, "in a task that has nothing to do with it")
				return nil
			})
		})
		closer := GoNow(ctx, func(ctx context.Context) error {
			return Timeout(ctx, time.Hour, func(ctx context.Context) error {
				s.close()
				wantScope(t, ctx, "in the task that closed it")
				return nil
			})
		})
		checkNow(t, core.Nearest(ctx).Loop())
		quit.Set()
		closer.Wait(ctx)
		if err := innocent.Wait(ctx); err != nil {
			t.Error(err)
		}
		wantScope(t, ctx, "in main")
	})
}

// One that begins a body and goes on, while another closes it, is not left in a
// scope that has ended.
func TestRegionsLeftWhileTheirTaskGoesOn(t *testing.T) {
	eachWithin(t, func(t *testing.T, ctx context.Context, begin func(context.Context) stepper) {
		var s stepper
		var closed Event
		first := GoNow(ctx, func(task context.Context) error {
			s = begin(ctx)
			s.next()
			closed.Wait(task)
			wantScope(t, task, "in the task that began it")
			return nil
		})
		s.close()
		wantScope(t, ctx, "in the task that closed it")
		closed.Set()
		first.Wait(ctx)
	})
}

// A body that is never closed ends with its task.
func TestRegionsOfAnAbandonedPull(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var stop func()
		for range 3 {
			task := GoNow(ctx, func(ctx context.Context) error {
				s := within["iter.Pull"](ctx, regions["Timeout"])
				s.next()
				stop = s.close
				return nil
			})
			task.Wait(ctx)
			GoNow(ctx, func(ctx context.Context) error {
				wantScope(t, ctx, "in the next task")
				checkNow(t, core.Nearest(ctx).Loop())
				stop() // so that its goroutine ends; in another task than it began in
				wantScope(t, ctx, "in the next task")
				return nil
			}).Wait(ctx)
		}
		Sleep(ctx, 2*time.Hour)
		return nil
	})
}

// A region within a generator's body does not affect its driver, at any depth;
// it is the innermost one again when the body goes on, with any driver.
func TestRegionsOfGeneratorAndDriverAreApart(t *testing.T) {
	run(t, func(ctx context.Context) error {
		const limit = time.Minute
		g := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) {
			y.Yield(0)
			if _, ok := core.Here(ctx).Deadline(); !ok {
				t.Error("a body that is in no region is not in that of its driver")
			}
			err := Timeout(ctx, limit, func(ctx context.Context) error {
				for i := 1; ; i++ {
					wantScope(t, ctx, "in the body")
					if _, err := y.Yield(i); err != nil {
						if core.Here(ctx) != ctx || ctx.Err() == nil {
							t.Error("its time is up, and the body is not where it was, or not told")
						}
						return err
					}
				}
			})
			return 0, err
		})
		outer := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) {
			return 0, Timeout(ctx, 3*limit, func(ctx context.Context) error {
				for {
					wantScope(t, ctx, "in the outer body")
					v, err := g.Next()
					if err != nil {
						return err
					}
					wantScope(t, ctx, "in the outer body")
					if _, err := y.Yield(v); err != nil {
						return err
					}
				}
			})
		})
		g.Next()
		for i := range 3 {
			GoNow(ctx, func(ctx context.Context) error {
				return Timeout(ctx, time.Hour, func(ctx context.Context) error {
					if v, err := outer.Next(); err != nil || v != i+1 {
						t.Errorf("got %d, %v", v, err)
					}
					wantScope(t, ctx, "in the driver")
					checkNow(t, core.Nearest(ctx).Loop())
					return nil
				})
			}).Wait(ctx)
		}
		outer.Close()
		wantScope(t, ctx, "in main")
		Sleep(ctx, 2*limit)
		wantScope(t, ctx, "when the body's time is up, which is not its driver's")
		return g.Close()
	})
}

// A Group within a body waits for its tasks as the task that closes the
// generator.
func TestGroupInAGeneratorClosedByAnotherTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		var g *coro.Generator[int, int, int]
		GoNow(ctx, func(task context.Context) error {
			g = Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) {
				return 0, Group(ctx, func(ctx context.Context, g *TaskGroup) error {
					g.Go(func(ctx context.Context) error {
						Sleep(ctx, time.Hour)
						Sleep(context.WithoutCancel(ctx), time.Second)
						tr.add("child")
						return errBoom
					})
					_, err := y.Yield(1)
					return err
				})
			})
			g.Next()
			return Yield(task)
		}).Wait(ctx)
		Yield(ctx)
		other := GoNow(ctx, func(ctx context.Context) error { return Sleep(ctx, time.Minute) })
		err := g.Close()
		tr.add("%v %v", err, LoopOf(ctx).Time())
		tr.want(t, "child boom 1s")
		checkNow(t, core.Nearest(ctx).Loop())
		return other.Wait(ctx)
	})
}

// With generators and pulls begun, driven and closed by any tasks, each body
// and each task is in its own region, and no list is broken.
func TestRegionsAtRandom(t *testing.T) {
	for seed := range uint64(60) {
		run(t, func(ctx context.Context) error {
			r := rand.New(rand.NewPCG(seed, 1))
			l := core.Nearest(ctx).Loop()
			var walk func(ctx context.Context, y *coro.Yielder[int, int], depth int) error
			walk = func(ctx context.Context, y *coro.Yielder[int, int], depth int) error {
				for {
					if depth > 0 {
						wantScope(t, ctx, fmt.Sprint("seed ", seed))
					}
					switch cmd, err := y.Yield(depth); {
					case err != nil:
						return err
					case cmd == 0 && depth < 4:
						err := Timeout(ctx, time.Hour, func(ctx context.Context) error { return walk(ctx, y, depth+1) })
						if err != nil {
							return err
						}
					case cmd == 1 && depth > 0:
						return nil
					case cmd == 2:
						Yield(ctx)
					}
				}
			}
			gens := make([]*coro.Generator[int, int, int], 5)
			open := func(i int) {
				gens[i] = Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) { return 0, walk(ctx, y, 0) })
				gens[i].Next()
			}
			for i := range gens {
				open(i)
			}
			tasks := make([]func(context.Context) (struct{}, error), 3)
			for i := range tasks {
				var drive func(ctx context.Context, depth, steps int) error
				drive = func(ctx context.Context, depth, steps int) error {
					for range steps {
						i := r.IntN(len(gens))
						switch r.IntN(8) {
						case 0:
							if gens[i].Close() == nil {
								open(i)
							}
						case 1:
							if depth < 3 {
								Timeout(ctx, time.Hour, func(ctx context.Context) error { return drive(ctx, depth+1, steps/2) })
							}
						case 2:
							Yield(ctx)
						default:
							gens[i].Send(r.IntN(3))
						}
						wantScope(t, ctx, fmt.Sprint("seed ", seed))
						if msg := l.Check(); msg != nil {
							t.Fatalf("seed %d: %s", seed, msg)
						}
					}
					return nil
				}
				tasks[i] = func(ctx context.Context) (none struct{}, err error) { return none, drive(ctx, 0, 40) }
			}
			_, err := Gather(ctx, tasks...)
			for _, g := range gens {
				g.Close()
			}
			return err
		})
	}
}
