package tls

import (
	"context"
	"io"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

func BenchmarkHandshake(b *testing.B) {
	run(b, func(ctx context.Context) {
		for b.Loop() {
			c, s := shaken(b, ctx)
			c.Close()
			s.Close()
		}
	})
}

func BenchmarkTransfer(b *testing.B) {
	run(b, func(ctx context.Context) {
		c, s := shaken(b, ctx)
		msg := make([]byte, 1<<20)
		b.SetBytes(1 << 20)
		r := reactor.Go(ctx, func(context.Context) error { _, err := io.Copy(io.Discard, s); return err })
		for b.Loop() {
			c.Write(msg)
		}
		c.Close()
		r.Wait(ctx)
		s.Close()
	})
}

func BenchmarkEcho64(b *testing.B) {
	run(b, func(ctx context.Context) {
		c, s := shaken(b, ctx)
		r := reactor.Go(ctx, func(context.Context) error { _, err := io.Copy(s, s); return err })
		p := make([]byte, 64)
		for b.Loop() {
			c.Write(p)
			io.ReadFull(c, p)
		}
		c.Close()
		r.Wait(ctx)
		s.Close()
	})
}
