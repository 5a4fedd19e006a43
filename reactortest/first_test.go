package reactortest_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

func TestHour(t *testing.T) {
	reactortest.Run(t, func(ctx context.Context) {
		began := reactor.Now(ctx)
		reactor.Sleep(ctx, time.Hour)
		if d := reactor.Now(ctx).Sub(began); d != time.Hour {
			t.Error(d)
		}
	})
}

func TestEchoSim(t *testing.T) {
	reactortest.Options{Twice: true, Shuffle: true}.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		n.SetLinks(reactortest.Link{Latency: time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.1})
		n.Host("server").Start(func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", ":80")
			if err != nil {
				return err
			}
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		})
		c, err := net.Dial(ctx, "tcp", n.Host("server").Addr().String()+":80")
		for err != nil {
			reactor.Sleep(ctx, time.Second)
			c, err = net.Dial(ctx, "tcp", n.Host("server").Addr().String()+":80")
		}
		if _, err := io.WriteString(c, "hello"); err != nil {
			t.Fatal(err)
		}
		c.(*net.TCPConn).CloseWrite()
		if got, err := io.ReadAll(c); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	})
}
