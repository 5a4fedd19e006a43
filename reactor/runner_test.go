package reactor

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor/core"
)

func TestLaunch(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(ctx context.Context) error
		want func(error) bool
	}{
		"nil":   {func(ctx context.Context) error { return Yield(ctx) }, func(err error) bool { return err == nil }},
		"error": {func(context.Context) error { return errBoom }, func(err error) bool { return err == errBoom }},
		"panic": {func(context.Context) error { panic(errBoom) }, func(err error) bool {
			p, ok := errors.AsType[*PanicError](err)
			return ok && p.Value == errBoom && strings.Contains(p.Task, "a runner")
		}},
		"cancelled": {func(ctx context.Context) error { Current(ctx).Cancel(nil); return Yield(ctx) }, func(err error) bool { return err == context.Canceled }},
	} {
		onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
			r := &runs{run: c.run}
			task := core.Launch(ctx, r)
			if name := task.String(); !strings.Contains(name, "a runner") {
				t.Errorf("the task is called %q", name)
			}
			turns(ctx)
			if r.n != 1 || len(r.over) != 1 || !c.want(r.over[0]) || !task.Over() {
				t.Errorf("%s: %d runs, over with %v", name, r.n, r.over)
			}
			return nil // and nothing is logged
		})
	}
}

func TestLaunchAllocatesOnce(t *testing.T) {
	onWorld(t, func(ctx context.Context, l *core.Loop, v *world) error {
		r := &runs{run: func(ctx context.Context) error { return nil }}
		turns(ctx)
		if n := testing.AllocsPerRun(20, func() { core.Launch(ctx, r) }); n != 1 {
			t.Errorf("%v allocations", n)
		}
		turns(ctx)
		return nil
	})
}
