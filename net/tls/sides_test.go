package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// TestGoroutinesWhileTheLoopStands: goroutines dial, read, write and close while a task
// waits for them on a channel.
func TestGoroutinesWhileTheLoopStands(t *testing.T) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", serverConfig())
	if err != nil {
		t.Fatal(err)
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
				io.Copy(struct{ io.Writer }{c}, c)
			}()
		}
	}()
	ping := func(c *Conn) error {
		p := []byte("hello")
		if _, err := c.Write(p); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, p); err != nil || string(p) != "hello" {
			return fmt.Errorf("%q, %w", p, err)
		}
		return nil
	}
	run(t, func(ctx context.Context) {
		c, err := Dial(ctx, "tcp", ln.Addr().String(), clientConfig())
		if err != nil {
			t.Fatal(err)
		}
		testkit.Blocking(t, "a conn of a task's", func() error { return ping(c) })
		if err := ping(c); err != nil {
			t.Error("the task, after that:", err)
		}
		testkit.Blocking(t, "Close", c.Close)
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Error("the task, after Close:", err)
		}
		var own *Conn
		testkit.Blocking(t, "Dial", func() (err error) {
			if own, err = Dial(ctx, "tcp", ln.Addr().String(), clientConfig()); err == nil {
				err = ping(own)
			}
			return err
		})
		if err := errors.Join(ping(own), own.Close()); err != nil {
			t.Error("a task, with a goroutine's:", err)
		}
	})
}

// TestBothSidesAtOnce: tasks and goroutines write to one connection, which a
// task and a goroutine read. The data of each write is contiguous, and nothing
// is lost.
func TestBothSidesAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, b := wires(t, ctx)
		server, client := Server(ctx, a, serverConfig()), Client(ctx, b, clientConfig())
		const writers, rounds = 4, 20
		msg := testkit.Pattern(50_000)
		var read sync.WaitGroup
		var mu sync.Mutex
		total := 0
		reading := func() error {
			p := make([]byte, 1<<16)
			for {
				n, err := server.Read(p)
				mu.Lock()
				total += n
				mu.Unlock()
				if err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
			}
		}
		writing := func() error {
			for range rounds {
				if _, err := client.Write(msg); err != nil {
					return err
				}
			}
			return nil
		}
		tasks := []*reactor.Task[struct{}]{reactor.Go(ctx, func(context.Context) error { return reading() })}
		read.Go(func() {
			if err := reading(); err != nil {
				t.Error("a goroutine reads:", err)
			}
		})
		var wrote []*reactor.Task[struct{}]
		for i := range writers {
			wrote = append(wrote, reactor.Go(ctx, func(ctx context.Context) error {
				if i%2 == 0 {
					return writing()
				}
				_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, writing() })
				return err
			}))
		}
		for _, w := range wrote {
			if err := w.Wait(ctx); err != nil {
				t.Error("writing:", err)
			}
		}
		if err := client.CloseWrite(); err != nil {
			t.Error(err)
		}
		outside(t, ctx, func() error { read.Wait(); return nil })
		if err := tasks[0].Wait(ctx); err != nil {
			t.Error("a task reads:", err)
		}
		if want := writers * rounds * len(msg); total != want {
			t.Errorf("read %d bytes, want %d", total, want)
		}
		client.Close()
		server.Close()
	})
}
