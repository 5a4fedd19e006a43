package net

import (
	"context"
	"errors"
	"io"
	stdnet "net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// TestConnInABubble: goroutines in a testing/synctest bubble can use
// connections of a loop outside, like std's.
func TestConnInABubble(t *testing.T) {
	testkit.Leaks(t)
	s := stand(t, reactor.Options{})
	defer s.stop()
	echo, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(struct{ io.Writer }{c}, c) }() // std keeps the pipes that it splices with
		}
	}()
	ln, err := Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		controlled := false
		d := &Dialer{Loop: s.loop, Control: func(string, string, syscall.RawConn) error { controlled = true; return nil }}
		c, err := d.DialContext(t.Context(), "tcp", echo.Addr().String())
		if err != nil || !controlled {
			t.Fatalf("dial: %v, controlled %v", err, controlled)
		}
		p := make([]byte, 5)
		got := make(chan error)
		go func() { _, err := io.ReadFull(c, p); got <- err }()
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error("write:", err)
		}
		if err := <-got; err != nil || string(p) != "hello" {
			t.Errorf("read %q, %v", p, err)
		}
		raw, _ := c.(rawConner).SyscallConn()
		if err := raw.Control(func(uintptr) {}); err != nil {
			t.Error("Control:", err)
		}

		// Deadlines count by the time left.
		if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error("a write long before its deadline:", err)
		}
		if _, err := io.ReadFull(c, p[:1]); err != nil {
			t.Error("a read long before its deadline:", err)
		}
		for _, left := range []time.Duration{time.Millisecond, -time.Second} {
			c.SetReadDeadline(time.Now().Add(left))
			if _, err := c.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a read with a deadline in %v: %v", left, err)
			}
		}
		ln.(*TCPListener).SetDeadline(time.Now().Add(time.Millisecond))
		if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("Accept:", err)
		}

		go func() { _, err := c.Read(p); got <- err }()
		c.SetReadDeadline(time.Time{})
		c.Close()
		if err := <-got; err == nil {
			t.Error("a read of a closed connection succeeded")
		}
		bounded, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if c, err := d.DialContext(bounded, "tcp", echo.Addr().String()); err != nil {
			t.Error("a dial long before its deadline:", err)
		} else {
			c.Close()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.DialContext(ctx, "tcp", echo.Addr().String()); !errors.Is(err, context.Canceled) {
			t.Error("a dial that is cancelled:", err)
		}
	})
	ln.Close()
}
