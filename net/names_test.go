package net

import (
	"context"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// The tasks of a server have names that tell what they do, and where.
func TestNamesOfTasks(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var accepted, release reactor.Event
		server := reactor.Go(ctx, func(ctx context.Context) error {
			return Serve(ctx, ln, func(ctx context.Context, c Conn) error {
				accepted.Set()
				return release.Wait(ctx)
			})
		})
		c, err := Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		accepted.Wait(ctx)
		dump := reactor.Dump(ctx)
		for _, name := range []string{"(accepts on " + ln.Addr().String() + ")", "(serves " + c.LocalAddr().String() + ")"} {
			if !strings.Contains(dump, name) {
				t.Errorf("no task is %s:\n%s", name, dump)
			}
		}
		release.Set()
		c.Close()
		ln.Close()
		if err := server.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}
