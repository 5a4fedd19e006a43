package reactortest_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// exitsIn calls exit in all places but main.
var exitsIn = map[string]func(ctx context.Context, n *network, exit func()){
	"a task": func(ctx context.Context, _ *network, exit func()) {
		reactor.Go(ctx, func(ctx context.Context) error { reactor.Yield(ctx); exit(); return nil })
	},
	"a task that is awaited": func(ctx context.Context, _ *network, exit func()) {
		reactor.Go(ctx, func(ctx context.Context) error { reactor.Yield(ctx); exit(); return nil }).Wait(ctx)
	},
	"a group": func(ctx context.Context, _ *network, exit func()) {
		reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			g.Go(func(context.Context) error { exit(); return nil })
			return reactor.Sleep(ctx, time.Hour)
		})
	},
	"a program": func(_ context.Context, n *network, exit func()) {
		n.Host("other").Start(func(ctx context.Context) error { reactor.Sleep(ctx, time.Second); exit(); return nil })
	},
	"a callback": func(ctx context.Context, _ *network, exit func()) {
		reactor.LoopOf(ctx).CallLater(time.Second, exit)
	},
}

// TestFailNowAnywhere: it ends the run and the test, at once and without other failures.
func TestFailNowAnywhere(t *testing.T) {
	runs := map[string]func(t testing.TB, f func(context.Context, *network)){
		"Simulate": func(t testing.TB, f func(context.Context, *network)) { reactortest.Simulate(t, f, 1, 2) },
		"Run": func(t testing.TB, f func(context.Context, *network)) {
			reactortest.Run(t, func(ctx context.Context) { f(ctx, nil) })
		},
	}
	for where, use := range exitsIn {
		for name, run := range runs {
			if name == "Run" && where == "a program" {
				continue // it has no network
			}
			t.Run(name+", "+where, func(t *testing.T) {
				testkit.Leaks(t)
				began, ended, survived := 0, 0, false
				r := record(t, func(rec testing.TB) {
					run(rec, func(ctx context.Context, n *network) {
						began++
						defer func() { ended++ }()
						use(ctx, n, func() { rec.Error("boom"); rec.FailNow() })
						if reactor.Sleep(ctx, time.Hour) == nil {
							t.Error("main slept for an hour")
						}
					})
					survived = true
				})
				if !r.failed || survived || began != 1 || ended != 1 {
					t.Errorf("survived: %v; %d runs, and %d ended", survived, began, ended)
				}
				if log := r.log.String(); !strings.HasPrefix(log, "boom\n") || name == "Run" && log != "boom\n" || strings.Contains(log, "deadlock") {
					t.Errorf("logged: %s", log)
				}
			})
		}
	}
}

// TestSkipNowAnywhere: it ends the run, and the test is skipped.
func TestSkipNowAnywhere(t *testing.T) {
	for where, use := range exitsIn {
		t.Run(where, func(t *testing.T) {
			r := record(t, func(rec testing.TB) {
				reactortest.Simulate(rec, func(ctx context.Context, n *network) {
					use(ctx, n, rec.SkipNow)
					if reactor.Sleep(ctx, time.Hour) == nil {
						t.Error("main slept for an hour")
					}
				}, 1, 2)
				t.Error("the test goes on")
			})
			if r.failed || !r.skipped {
				t.Errorf("it is not skipped: %s", r.log.String())
			}
		})
	}
}

// TestGoexitIsNoVerdict: where the test goes on, a task has failed, and the test with it
// if nobody awaits the task.
func TestGoexitIsNoVerdict(t *testing.T) {
	for where, use := range exitsIn {
		t.Run(where, func(t *testing.T) {
			var told []reactor.Report
			o := reactortest.Options{Loop: reactor.Options{OnError: func(r reactor.Report) { told = append(told, r) }}}
			slept := false
			o.Simulate(t, func(ctx context.Context, n *network) {
				use(ctx, n, runtime.Goexit)
				slept = reactor.Sleep(ctx, time.Hour) == nil
			}, 1)
			want := 1
			if where == "a group" || where == "a task that is awaited" {
				want = 0
			}
			if !slept || len(told) != want {
				t.Errorf("main slept: %v; told %v", slept, told)
			}
		})
	}
}
