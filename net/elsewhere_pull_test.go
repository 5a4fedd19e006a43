//go:build !openbsd && !coro_nested && !(darwin && purego)

package net

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// The body of an iter.Pull is part of the task, where threads can be
// identified.
func TestFromPull(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		next, stop := iter.Pull(func(yield func(string) bool) {
			for {
				b := make([]byte, 8)
				n, err := c.Read(b) // waits, inside the iterator's own coroutine
				if err != nil || !yield(string(b[:n])) {
					return
				}
			}
		})
		defer stop()
		for i := range 100 {
			want := fmt.Sprint(i)
			reactor.Go(ctx, func(context.Context) error { p.Write([]byte(want)); return nil })
			if got, ok := next(); !ok || got != want {
				t.Fatalf("got %q, %v; want %q", got, ok, want)
			}
		}
		p.Close()
		if got, ok := next(); ok {
			t.Errorf("got %q after the end", got)
		}
		c.Close()
	})
}
