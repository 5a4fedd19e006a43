package net

import (
	"context"
	"io"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// TestDetached: a handler can keep its connection, which the server forgets.
func TestDetached(t *testing.T) {
	run(t, func(ctx context.Context) {
		var kept Conn
		s := &Server{Grace: -1, IdleTimeout: patience}
		v := serve(t, ctx, s, func(_ context.Context, c Conn) error {
			kept = c
			return ErrDetached
		})
		c, err := Dial(ctx, "tcp", v.addr)
		if err != nil {
			t.Fatal(err)
		}
		until(t, ctx, "the handler has returned", func() bool { return kept != nil && s.Stats().Active == 0 })
		v.stop()
		if _, err := kept.Write([]byte("mine")); err != nil {
			t.Error(err)
		}
		kept.Close()
		if p, err := io.ReadAll(c); string(p) != "mine" || err != nil {
			t.Errorf("%q, %v", p, err)
		}
		c.Close()
		if got := s.Stats(); got.Failed != 0 || got.Accepted != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestPeerWatch: it tells once, of the first thing that happens.
func TestPeerWatch(t *testing.T) {
	run(t, func(ctx context.Context) {
		for name, c := range map[string]struct {
			do   func(a, b Conn)
			want bool
		}{
			"the peer closes":    {func(a, b Conn) { b.Close() }, true},
			"the peer writes":    {func(a, b Conn) { b.Write([]byte("x")) }, false},
			"it is closed":       {func(a, b Conn) { a.Close() }, true},
			"ends, with a write": {func(a, b Conn) { b.Write([]byte("x")); b.Close() }, false},
		} {
			for _, before := range []bool{false, true} {
				a, b := pair(t, ctx, "tcp")
				var w PeerWatch
				told := 0
				var left reactor.Event
				tell := func(is bool) {
					told++
					if is != c.want {
						t.Errorf("%s: left %v", name, is)
					}
					left.Set()
				}
				if before {
					c.do(a, b)
				}
				if err := w.Start(a, tell); err != nil {
					t.Fatal(err)
				}
				if !before {
					parked(ctx)
					if told > 0 {
						t.Errorf("%s: told too early", name)
					}
					c.do(a, b)
				}
				if err := left.Wait(ctx); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				w.Stop()
				a.Close()
				b.Close()
				parked(ctx)
				if told != 1 {
					t.Errorf("%s: told %d times", name, told)
				}
			}
		}
		a, b := pair(t, ctx, "tcp")
		var w PeerWatch
		for range 2 {
			w.Start(a, func(bool) { t.Error("told after Stop") })
			w.Stop()
		}
		w.Start(a, func(bool) { t.Error("told after Stop") })
		b.Close()
		reactor.Yield(ctx)
		w.Stop()
		a.Close()
		parked(ctx)
	})
}
