package net

import (
	"context"
	"io"
	stdnet "net"
	"testing"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkEcho sends messages back and forth between std clients, on
// goroutines, and an echo server: eddy's, and std's for comparison. The clients
// use part of the time, and of the processors.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []struct {
		name  string
		n     int
		conns int // for each processor
	}{{"64B×1", 64, 0}, {"64B×64", 64, 32}, {"16KiB×1", 16 << 10, 0}, {"16KiB×64", 16 << 10, 32}} {
		client := func(b *testing.B, addr string) { pingPong(b, addr, size.n) }
		if size.conns > 0 {
			client = func(b *testing.B, addr string) { pingPongs(b, addr, size.n, size.conns) }
		}
		b.Run("eddy/"+size.name, func(b *testing.B) { benchEddy(b, client) })
		b.Run("std/"+size.name, func(b *testing.B) { benchStd(b, client) })
	}
}

func benchEddy(b *testing.B, client func(*testing.B, string)) {
	s := stand(b, reactor.Options{})
	ln, err := Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	wait := reactor.Submit(s.loop, func(ctx context.Context) (struct{}, error) { return struct{}{}, Serve(ctx, ln, echo) })
	go func() { _, err := wait(context.Background()); served <- err }()
	client(b, ln.Addr().String())
	ln.Close()
	if err := <-served; err != nil {
		b.Error(err)
	}
}

func benchStd(b *testing.B, client func(*testing.B, string)) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c}) // or std splices, in the kernel
			}()
		}
	}()
	client(b, ln.Addr().String())
}

func pingPong(b *testing.B, addr string, size int) {
	c, err := stdnet.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	msg := make([]byte, size)
	b.SetBytes(int64(2 * size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(msg); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, msg); err != nil {
			b.Fatal(err)
		}
	}
}

// pingPongs is pingPong on many connections.
func pingPongs(b *testing.B, addr string, size, conns int) {
	b.SetBytes(int64(2 * size))
	b.SetParallelism(conns)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c, err := stdnet.Dial("tcp", addr)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		msg := make([]byte, size)
		for pb.Next() {
			if _, err := c.Write(msg); err != nil {
				b.Error(err)
			}
			if _, err := io.ReadFull(c, msg); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkEchoInLoop has client and server in one loop: the cost of a message
// without a switch of threads.
func BenchmarkEchoInLoop(b *testing.B) {
	run(b, func(ctx context.Context) {
		a, c := pair(b, ctx, "tcp")
		server := reactor.Go(ctx, func(ctx context.Context) error { return echo(ctx, c) })
		msg := make([]byte, 64)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Write(msg); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(a, msg); err != nil {
				b.Fatal(err)
			}
		}
		a.Close()
		server.Wait(ctx)
		c.Close()
	})
}

// BenchmarkFromGoroutine measures a call from a goroutine outside the loop: two
// switches of threads.
func BenchmarkFromGoroutine(b *testing.B) {
	s := stand(b, reactor.Options{})
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	c, err := Dial(s.ctx, "tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Read(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEchoAllocatesNothing: a message costs no allocation, with or without a
// wait, nor does a deadline for each.
func TestEchoAllocatesNothing(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, c := pair(t, ctx, "tcp")
		server := reactor.Go(ctx, func(ctx context.Context) error { return echo(ctx, c) })
		msg := make([]byte, 64)
		allocs := testing.AllocsPerRun(200, func() {
			if _, err := a.Write(msg); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(a, msg); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 0 && !raceEnabled {
			t.Errorf("%v allocations a message", allocs)
		}
		a.Close()
		server.Wait(ctx)
		c.Close()
	})
}
