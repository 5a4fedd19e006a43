package core_test

import (
	"context"
	"runtime/pprof"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/coro"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// labelsOf returns the labels of a goroutine that has those of ctx.
func labelsOf(ctx context.Context) (p unsafe.Pointer) {
	done := make(chan unsafe.Pointer)
	go func() {
		pprof.SetGoroutineLabels(ctx)
		done <- core.GoroutineLabels()
	}()
	return <-done
}

// labelled returns ctx with a label.
func labelled(ctx context.Context) context.Context {
	return pprof.WithLabels(ctx, pprof.Labels("who", "it"))
}

// Labels that one job sets, by a ctx of its own or by any other, are not those of the
// next one that the worker runs, whatever kinds they are of.
func TestLabelsEndWithTheirJob(t *testing.T) {
	a, b := testkit.SocketPair(t)
	defer unix.Close(b)
	run(t, func(ctx context.Context) error {
		l := reactor.LoopOf(ctx)
		var f core.FD
		if err := f.OpenKind(ctx, a, &core.FDKind{Close: unix.Close}); err != nil {
			return err
		}
		defer f.Close()
		var work func()
		jobs := map[string]func(){
			"a task":     func() { reactor.Go(ctx, func(context.Context) error { work(); return nil }) },
			"GoNow":      func() { reactor.GoNow(ctx, func(context.Context) error { work(); return nil }) },
			"a callback": func() { l.CallSoon(func() { work() }) },
			"a message":  func() { l.Post(func() { work() }) },
			"a timer":    func() { l.CallLater(0, func() { work() }) },
			"a Runner":   func() { core.Launch(ctx, workRunner{&work}) },
			"a Dormant": func() {
				var d core.Dormant
				d.Start(ctx, &f, workRunner{&work})
				f.Retry(eddy.Readable)
				d.Pause()
				d.Resume()
				yields(ctx, 3)
				d.Pause()
			},
		}
		set := func() { pprof.SetGoroutineLabels(labelled(context.Background())) }
		for first, start := range jobs {
			for second, next := range jobs {
				before, ran := labelsOf(context.Background()), false
				work = set
				start()
				yields(ctx, 3)
				work = func() {
					if ran = true; core.GoroutineLabels() != before {
						t.Errorf("%s after %s has its labels", second, first)
					}
				}
				next()
				yields(ctx, 3)
				if !ran {
					t.Errorf("%s did not run", second)
				}
			}
		}
		if core.Nearest(ctx).Loop().Labelled() {
			t.Error("no ctx of the loop has labels")
		}
		return nil
	})
}

type workRunner struct{ work *func() }

func (r workRunner) Run(context.Context) error { (*r.work)(); return nil }
func (r workRunner) Over(error)                {}

// A task has the labels of its ctx, as main has those of Run's, and so has what is
// started with it; a thread has those of its task.
func TestLabelsOfACtx(t *testing.T) {
	for _, outer := range []context.Context{context.Background(), labelled(context.Background())} {
		runWith(t, outer, reactor.Options{}, func(ctx context.Context) error {
			check := func(name string, ctx context.Context) {
				t.Helper()
				if got := core.GoroutineLabels(); got != labelsOf(ctx) {
					t.Errorf("%s: %p", name, got)
				}
			}
			check("main", ctx)
			inner := pprof.WithLabels(ctx, pprof.Labels("more", "x"))
			for name, ctx := range map[string]context.Context{"as main": ctx, "more": inner, "shielded": context.WithoutCancel(inner)} {
				f := func(ctx context.Context) error {
					check(name, ctx)
					reactor.Yield(ctx)
					check(name+" later", ctx)
					want := labelsOf(ctx)
					reactor.ToThread(ctx, func(context.Context) (int, error) {
						if core.GoroutineLabels() != want {
							t.Errorf("%s: a thread has not its task's", name)
						}
						return 0, nil
					})
					g := reactor.Generate(ctx, func(ctx context.Context, y *coro.Yielder[int, int]) (int, error) {
						if core.GoroutineLabels() != want {
							t.Errorf("%s: a generator has not its task's", name)
						}
						return 0, nil
					})
					g.Next()
					return g.Close()
				}
				reactor.Go(ctx, f).Wait(ctx)
				reactor.GoNow(ctx, f).Wait(ctx)
				reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error { g.Go(f); return nil })
			}
			check("main, at its end", ctx)
			return nil
		})
	}
}

// A ctx that somebody else's labels come in by is noticed.
func TestLabelsFromWithin(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return reactor.LoopOf(ctx).Within(labelled(context.Background()), func(ctx context.Context) error {
			return reactor.Go(ctx, func(ctx context.Context) error {
				if core.GoroutineLabels() == nil || core.GoroutineLabels() != labelsOf(ctx) {
					t.Error("a task below it has not its labels")
				}
				return nil
			}).Wait(ctx)
		})
	})
}
