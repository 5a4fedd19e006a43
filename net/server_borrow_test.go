package net

import (
	"context"
	"strings"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// TestBorrowedBytesOfAnother: a handler that keeps borrowed bytes across a
// suspension, and writes them after another one has borrowed the same memory,
// panics: in no build does a client get another client's bytes.
func TestBorrowedBytesOfAnother(t *testing.T) {
	run(t, func(ctx context.Context) {
		var keeps, borrowed reactor.Event
		handler := func(ctx context.Context, c *ReadyConn) error {
			p, err := c.Borrow()
			if err != nil {
				return err
			}
			if string(p[:5]) == "keeps" {
				keeps.Set()
				borrowed.Wait(ctx)
			} else {
				borrowed.Set()
			}
			_, err = c.Write(p)
			return err
		}
		v := serveReady(t, ctx, &Server{}, handler)
		a, b := v.dial(t), v.dial(t)
		a.Write([]byte("keeps this"))
		keeps.Wait(ctx)
		if got := ask(t, ctx, b, "secret"); got != "secret" {
			t.Errorf("the other one got %q", got)
		}
		if got := ask(t, ctx, a, ""); strings.Contains(got, "sec") || !strings.Contains(got, "EOF") {
			t.Errorf("got %q", got)
		}
		v.stop()
		v.end(t, ctx, nil)
		if log := v.log.settled(t, ctx); !strings.Contains(log, "had suspended") || !strings.Contains(log, "server_borrow_test.go") {
			t.Errorf("logged %q", log)
		}
	})
}

// TestBorrowedBytesInAChild: a task started by GoNow uses what its maker has borrowed.
func TestBorrowedBytesInAChild(t *testing.T) {
	run(t, func(ctx context.Context) {
		v := serveReady(t, ctx, &Server{}, func(ctx context.Context, c *ReadyConn) error {
			p, err := c.Borrow()
			if err != nil {
				return err
			}
			return reactor.GoNow(ctx, func(context.Context) error { _, err := c.Write(p); return err }).Wait(ctx)
		})
		c := v.dial(t)
		if got := ask(t, ctx, c, "hello"); got != "hello" {
			t.Errorf("got %q", got)
		}
		c.Close()
		v.stop()
		v.end(t, ctx, nil)
	})
}
