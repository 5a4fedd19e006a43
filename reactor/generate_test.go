package reactor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor/core"
)

// ticks yields 1 to n, a second apart, and adds its end to the trace.
func ticks(ctx context.Context, tr *trace, n int, end error) *coro.Generator[int, struct{}, struct{}] {
	return Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, struct{}]) (none struct{}, err error) {
		defer func() { tr.add("end") }()
		for i := range n {
			if err := Sleep(ctx, time.Second); err != nil {
				return none, err
			}
			if _, err := y.Yield(i + 1); err != nil {
				if end != nil {
					return none, end
				}
				return none, err
			}
		}
		return none, end
	})
}

// While the body waits, so does its driver, and other tasks run.
func TestGenerate(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		Go(ctx, func(ctx context.Context) error {
			for range 3 {
				Sleep(ctx, 700*time.Millisecond)
				tr.add("other:%v", Facade(l).Time())
			}
			return nil
		})
		for v, err := range ticks(ctx, &tr, 2, errBoom).All() {
			tr.add("%d:%v:%v", v, err, Facade(l).Time())
			checkNow(t, l)
		}
		return Sleep(ctx, time.Second)
	})
	tr.want(t, "other:700ms 1:<nil>:1s other:1.4s 2:<nil>:2s end 0:boom:2s other:2.1s")
}

// Many generators, driven by as many tasks, each with awaits of its own.
func TestGeneratorsOfManyTasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return Group(ctx, func(ctx context.Context, g *TaskGroup) error {
			for i := range 20 {
				g.Go(func(ctx context.Context) error {
					var got []int
					body := func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
						for j := range 5 {
							Sleep(ctx, time.Duration(1+(i+j)%3))
							child := Go(ctx, func(ctx context.Context) error { return Yield(ctx) })
							if err := child.Wait(ctx); err != nil {
								return 0, err
							}
							if _, err := y.Yield(10*i + j); err != nil {
								return 0, err
							}
						}
						return 0, nil
					}
					for v, err := range Generate(ctx, body).All() {
						if err != nil {
							return err
						}
						got = append(got, v-10*i)
					}
					if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
						t.Errorf("task %d got %v", i, got)
					}
					return nil
				})
			}
			return nil
		})
	})
}

// asyncio's case 74: a second task can't drive a generator while the first one
// waits in it; the first is not disturbed.
func TestGenerateRefusesConcurrentUse(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		g := ticks(ctx, &tr, 2, nil)
		var value int
		first := GoNow(ctx, func(context.Context) (err error) {
			value, err = g.Next()
			return err
		})
		_, err := g.Next()
		_, sent := g.Send(struct{}{})
		_, thrown := g.Throw(errBoom)
		for _, err := range []error{err, sent, thrown, g.Close()} {
			if !errors.Is(err, coro.ErrRunning) {
				t.Errorf("a second driver gets %v", err)
			}
		}
		for v, err := range g.All() { // leaving it does not close what another one drives
			if v != 0 || !errors.Is(err, coro.ErrRunning) {
				t.Errorf("a second driver gets %d, %v", v, err)
			}
		}
		if err := first.Wait(ctx); value != 1 || err != nil {
			t.Errorf("the first driver got %d, %v", value, err)
		}
		if v, err := g.Next(); v != 2 || err != nil { // now it is free, for any task
			t.Errorf("then: %d, %v", v, err)
		}
		return g.Close()
	})
}

// A break closes the generator; its body can await then.
func TestGenerateBreak(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l := core.Nearest(ctx).Loop()
		cleaned := time.Duration(0)
		g := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
			defer func() {
				Sleep(ctx, time.Minute)
				cleaned = Facade(l).Time()
			}()
			_, err := y.Yield(1)
			return 0, err
		})
		for range g.All() {
			if len(Facade(l).generators) != 1 {
				t.Errorf("%d open", len(Facade(l).generators))
			}
			break
		}
		if cleaned != time.Minute || g.State() != coro.Closed || len(Facade(l).generators) != 0 {
			t.Errorf("cleaned up at %v, %v, %d open", cleaned, g.State(), len(Facade(l).generators))
		}
		return nil
	})
}

// The body is cancelled with the ctx that it was made under, and with the task
// that drives it only if that is below it.
func TestGenerateCancelled(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var tr trace
		driver := GoNow(ctx, func(ctx context.Context) error {
			_, err := ticks(ctx, &tr, 3, nil).Next()
			return err
		})
		driver.Cancel(errBoom)
		if err := driver.Wait(ctx); !errors.Is(err, errBoom) {
			t.Error(err)
		}
		g := ticks(ctx, &tr, 3, nil)
		driver = GoNow(ctx, func(ctx context.Context) error {
			_, err := g.Next()
			return err
		})
		driver.Cancel(errBoom)
		if err := driver.Wait(ctx); err != nil {
			t.Errorf("cancelled by its driver: %v", err)
		}
		return g.Close()
	})
}

// Those left open are closed at the loop's end, when all tasks have ended; if
// that fails, it is reported.
func TestGenerateLeftOpen(t *testing.T) {
	var tr trace
	var told reports
	err := setup{Options: Options{OnError: told.add}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		for i, end := range []error{nil, errBoom, nil} {
			g := ticks(ctx, &tr, 3, end)
			if i < 2 {
				g.Next()
			}
		}
		Go(ctx, func(ctx context.Context) error {
			ticks(ctx, &tr, 3, nil).Next()
			Sleep(ctx, time.Hour)
			tr.add("task")
			return nil
		})
		Sleep(ctx, time.Minute)
		tr.add("main")
		return nil
	})
	if err != nil || len(told) != 1 || told[0].Err != errBoom {
		t.Errorf("%v, told %v", err, told)
	}
	tr.want(t, "main task end end end")
}

// One that is closed at the loop's end may still await, shielded; a new
// generator that it opens and leaves is closed too.
func TestGenerateLeftOpenAwaits(t *testing.T) {
	var tr trace
	run(t, func(ctx context.Context) error {
		g := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
			y.Yield(1)
			tr.add("%v", errors.Is(Yield(ctx), context.Canceled))
			free := context.WithoutCancel(ctx)
			Sleep(free, time.Second)
			ticks(free, &tr, 2, nil).Next()
			tr.add("closed")
			return 0, nil
		})
		_, err := g.Next()
		return err
	})
	tr.want(t, "true closed end")
}

// A generator that ignores its close is reported, and leaks only its goroutine.
func TestGenerateIgnoresClose(t *testing.T) {
	var told reports
	var g *coro.Generator[int, struct{}, int]
	o := Options{OnError: told.add}
	stop := false
	defer testkit.LeakCheck(t)()
	runtime.LockOSThread() // as often as when the generator was begun: see coro.Generator
	defer runtime.UnlockOSThread()
	err := o.Run(context.Background(), func(ctx context.Context) error {
		g = Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
			for !stop {
				y.Yield(1)
			}
			return 0, nil
		})
		_, err := g.Next()
		return err
	})
	if err != nil || len(told) != 1 || !errors.Is(told[0].Err, coro.ErrIgnoredClose) {
		t.Errorf("%v, told %v", err, told)
	}
	stop = true
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

// A task that is cut off while it waits in a generator's body is cut off, and
// not said to have panicked.
func TestGenerateCutOff(t *testing.T) {
	var told reports
	var got error
	err := setup{Options: Options{OnError: told.add, Grace: time.Second}, world: newWorld(t)}.run(t, func(ctx context.Context) error {
		GoNow(ctx, func(ctx context.Context) error {
			g := Generate(context.WithoutCancel(ctx), func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
				return 0, Sleep(context.WithoutCancel(ctx), time.Hour)
			})
			_, got = g.Next()
			return got
		})
		return nil
	})
	if err != nil || told.count("panicked") != 0 || told.count("cut off") != 1 {
		t.Errorf("%v; Next returned %v; told %v", err, got, told)
	}
}

// A panic of the body reaches the driver.
func TestGeneratePanics(t *testing.T) {
	run(t, func(ctx context.Context) error {
		task := Go(ctx, func(ctx context.Context) error {
			g := Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, struct{}]) (int, error) {
				Yield(ctx)
				panic(errBoom)
			})
			g.Next()
			return nil
		})
		var p *PanicError
		if err := task.Wait(ctx); !errors.As(err, &p) || !errors.Is(err, errBoom) {
			t.Error(err)
		}
		if n := len(LoopOf(ctx).generators); n != 0 {
			t.Errorf("%d open", n)
		}
		return nil
	})
}

func TestGenerateMisuse(t *testing.T) {
	body := func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) { return 0, nil }
	wantPanic(t, "outside a task", func() { Generate(context.Background(), body) })
	run(t, func(ctx context.Context) error {
		wantPanic(t, "nil function", func() { Generate[int, int, int](ctx, nil) })
		if elsewhere(func() { Generate(ctx, body) }) == "" {
			t.Error("no panic on another goroutine")
		}
		g := Generate(ctx, body)
		elsewhere(func() {
			if _, err := g.Next(); !errors.Is(err, coro.ErrWrongGoroutine) {
				t.Error(fmt.Sprint("driven on another goroutine: ", err))
			}
		})
		_, err := g.Next()
		if r, ok := err.(*coro.Return[int]); !ok || r.Value != 0 {
			t.Error(err)
		}
		return nil
	})
}
