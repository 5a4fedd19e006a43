package reactortest_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// A million virtual seconds of 10,000 tasks, each of which sleeps for between one
// and two hours again and again: some seven million timers.
func BenchmarkMillionSeconds(b *testing.B) {
	reactortest.WithoutChecks(b)
	const tasks, end = 10_000, 1_000_000 * time.Second
	for range b.N {
		sleeps := 0
		reactortest.Run(b, func(ctx context.Context) {
			for i := range tasks {
				reactor.Go(ctx, func(ctx context.Context) error {
					d := time.Hour + time.Duration(i)*time.Hour/tasks
					for now(ctx) < end-d {
						reactor.Sleep(ctx, d)
						sleeps++
					}
					return nil
				})
			}
			reactor.Sleep(ctx, end)
		})
		b.ReportMetric(float64(sleeps), "sleeps/op")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sleeps), "ns/sleep")
	}
}

// A thousand hosts, each of which serves an echo and asks ten others, ten times
// each.
func BenchmarkThousandHosts(b *testing.B) {
	reactortest.WithoutChecks(b)
	const hosts = 1000
	for i := range b.N {
		var trace *reactortest.Trace
		o := reactortest.Options{OnTrace: func(tr *reactortest.Trace) { trace = tr }}
		o.Simulate(b, func(ctx context.Context, n *network) {
			n.SetLinks(reactortest.Link{Latency: ms, Jitter: 10 * ms})
			for i := range hosts {
				n.Host(fmt.Sprint(i)).Start(echo)
			}
			reactor.Sleep(ctx, time.Second)
			reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				for i := range hosts {
					home := n.Host(fmt.Sprint(i))
					g.Go(func(ctx context.Context) error { return askAround(home.Context(ctx), i, hosts) })
				}
				return nil
			})
		}, uint64(i+1))
		b.ReportMetric(float64(trace.Events), "events/op")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(trace.Events), "ns/event")
	}
}

func askAround(ctx context.Context, i, hosts int) error {
	buf := make([]byte, 100)
	for j := range 10 {
		c, err := net.Dial(ctx, "tcp", fmt.Sprintf("%d:7", (i+j*j+1)%hosts))
		if err != nil {
			return err
		}
		for range 10 {
			if _, err := c.Write(buf); err != nil {
				return err
			}
			if _, err := io.ReadFull(c, buf); err != nil {
				return err
			}
		}
		c.Close()
	}
	return nil
}

// What a run costs at least, and one with a connection in it.
func BenchmarkSimulate(b *testing.B) {
	reactortest.WithoutChecks(b)
	b.Run("empty", func(b *testing.B) {
		for i := range b.N {
			reactortest.Simulate(b, func(ctx context.Context, n *network) {}, uint64(i))
		}
	})
	b.Run("echo", func(b *testing.B) {
		for i := range b.N {
			reactortest.Simulate(b, func(ctx context.Context, n *network) {
				n.Host("server").Start(echo)
				reactor.Yield(ctx)
				through(dial(b, ctx, "server:7"), ctx, make([]byte, 1000))
			}, uint64(i))
		}
	})
}
