package integration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// BenchmarkToThread measures libraries in ToThread, with one and with 64 calls in
// flight. Its ratio is the time of a call by plain goroutines, of which there are as
// many, divided by that of one in ToThread; both sides take turns. Its cpu-ratio is that
// of the processor time that this process spends on a call, which says more where others
// want the processors.
func BenchmarkToThread(b *testing.B) {
	for _, lib := range []struct {
		name, server string
		open         func(ctx context.Context, at *site) (*client, error)
	}{
		{"go-redis", "redis", openGoRedis},
		{"rueidis", "redis", openRueidis},
		{"pgxpool", "postgres", openPgxPool},
	} {
		for _, inFlight := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", lib.name, inFlight), func(b *testing.B) {
				benchmarkToThread(b, addresses(b, lib.server), lib.open, inFlight)
			})
		}
	}
}

func benchmarkToThread(b *testing.B, addr map[string]string, open func(context.Context, *site) (*client, error), inFlight int) {
	c, err := open(context.Background(), stdSite(addr))
	if err != nil {
		b.Fatal(err)
	}
	defer c.close()
	const turns = 10
	var std, thread spent
	err = reactor.Run(context.Background(), func(ctx context.Context) error {
		for turn := range turns {
			share := b.N*(turn+1)/turns - b.N*turn/turns
			var err error
			beside(ctx, func() { err = timed(&std, func() error { return byGoroutines(c, inFlight, share) }) })
			if err != nil {
				return err
			}
			if err = timed(&thread, func() error { return inThreads(ctx, c, inFlight, share) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(std.wall)/float64(b.N), "std-ns/op")
	b.ReportMetric(float64(thread.wall)/float64(b.N), "thread-ns/op")
	b.ReportMetric(float64(std.wall)/float64(thread.wall), "ratio")
	b.ReportMetric(float64(std.cpu)/float64(thread.cpu), "cpu-ratio")
}

// spent is time.
type spent struct{ wall, cpu time.Duration }

func timed(sum *spent, f func() error) error {
	began, before := time.Now(), cpuTime()
	err := f()
	sum.wall += time.Since(began)
	sum.cpu += cpuTime() - before
	return err
}

// cpuTime returns the processor time that this process has had.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// byGoroutines makes n calls, of which some are in flight.
func byGoroutines(c *client, inFlight, n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	errs := make([]error, inFlight)
	var all sync.WaitGroup
	for i := range inFlight {
		all.Go(func() {
			for errs[i] == nil && left.Add(-1) >= 0 {
				errs[i] = c.op(context.Background())
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// inThreads is as byGoroutines, with tasks.
func inThreads(ctx context.Context, c *client, inFlight, n int) error {
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		for range inFlight {
			g.Go(func(ctx context.Context) error {
				for n > 0 {
					n--
					if _, err := reactor.ToThread(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, c.op(ctx) }); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
}
