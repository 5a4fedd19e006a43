package net

import (
	"context"
	stdnet "net"
	"path/filepath"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// A waiting connection has no task, also if a short read does not mean that
// there is no more, as on a Unix socket.
func TestReadyConnsRest(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(ctx)
		serving := reactor.Go(ctx, func(ctx context.Context) error { return ServeReady(ctx, ln, echoReady) })
		for range 3 { // until it accepts
			reactor.Yield(ctx)
		}
		before := len(reactor.AllTasks(ctx))
		for range 5 {
			c, err := stdnet.Dial("unix", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for _, want := range []string{"one", "another"} {
				if got := ask(t, ctx, c, want); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		}
		if n := len(reactor.AllTasks(ctx)) - before; n != 0 {
			t.Errorf("%d tasks for connections that wait", n)
		}
		stop()
		if err := serving.Wait(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
}
