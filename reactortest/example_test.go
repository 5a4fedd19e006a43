package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

var t *testing.T // the test's

// A server, a client, and a network that is cut for a while: under a hundred
// seeds, whatever the delays, every byte arrives.
func ExampleSimulate() {
	reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		n.SetLinks(reactortest.Link{Latency: time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.01})
		server := n.Host("server").Start(func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", ":7")
			if err != nil {
				return err
			}
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		})
		reactor.Yield(ctx) // the server listens
		c, err := net.Dial(ctx, "tcp", "server:7")
		if err != nil {
			t.Fatal(err)
		}
		n.Partition(server)
		c.Write([]byte("hello"))
		reactor.Sleep(ctx, time.Minute)
		n.Heal()
		got := make([]byte, 5)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// A test of timers alone: three attempts, a minute apart, take no time.
func ExampleRun() {
	reactortest.Run(t, func(ctx context.Context) {
		began := reactor.Now(ctx)
		for range 3 {
			reactor.Sleep(ctx, time.Minute)
		}
		if took := reactor.Now(ctx).Sub(began); took != 3*time.Minute {
			t.Error(took)
		}
	})
}

// A look at the very moment before a timeout, and at the moment itself.
func ExampleClock_Advance() {
	reactortest.Run(t, func(ctx context.Context) {
		c := reactortest.ClockOf(ctx)
		c.Hold()
		task := reactor.Go(ctx, func(ctx context.Context) error {
			return reactor.Timeout(ctx, time.Hour, func(ctx context.Context) error {
				return reactor.Sleep(ctx, 2*time.Hour)
			})
		})
		c.Advance(ctx, time.Hour-1)
		fmt.Println(task.Finished()) // false
		c.Advance(ctx, 1)
		fmt.Println(task.Finished()) // true
		if err := task.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
