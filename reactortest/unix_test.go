package reactortest_test

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// A socket for datagrams in the Unix domain holds eleven, and whoever waits to send is
// woken when there is room.
func TestUnixDatagramsWait(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		p, err := net.ListenPacket(ctx, "unixgram", "@p")
		if err != nil {
			t.Fatal(err)
		}
		sent := 0
		for range 3 {
			reactor.Go(ctx, func(ctx context.Context) error {
				c, err := net.Dial(ctx, "unixgram", "@p")
				for err == nil && sent < 50 {
					if _, err = c.Write([]byte("x")); err == nil {
						sent++
					}
				}
				return err
			})
		}
		reactor.Sleep(ctx, time.Second)
		if sent != 11 {
			t.Errorf("%d are sent, want 11", sent)
		}
		for range 50 {
			if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
		}
	}, 1)
}

// A socket of the Unix domain is its host's own.
func TestUnixIsLocal(t *testing.T) {
	simulate(t, func(ctx context.Context, n *network) {
		a, b := n.Host("a").Context(ctx), n.Host("b").Context(ctx)
		if _, err := net.Listen(a, "unix", "/run/s"); err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial(b, "unix", "/run/s"); !errors.Is(err, syscall.ENOENT) {
			t.Error(err)
		}
		if _, err := net.Listen(b, "unix", "/run/s"); err != nil {
			t.Error(err)
		}
		if _, err := net.Dial(a, "unix", "/run/s"); err != nil {
			t.Error(err)
		}
		p, err := net.ListenPacket(a, "unixgram", "/run/d")
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial(a, "unixgram", "/run/d")
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("hello"))
		buf := make([]byte, 10)
		if n, _, err := p.ReadFrom(buf); err != nil || !bytes.Equal(buf[:n], []byte("hello")) {
			t.Error(buf[:n], err)
		}
	}, 1)
}
