//go:build linux

package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/net/tls"
	"github.com/eddyio/eddy/reactor"
)

// A soak is the server's side of one run, with its results. Its fields belong
// to the loop.
type soak struct {
	options
	counts counts // the clients'
	starts int
	spells int

	plain, secure net.Stats
	peak          int64
	heap          uint64
	worst         time.Duration
}

// handshakeTimeout is the limit of the TLS server's handshakes.
const handshakeTimeout = 5 * time.Second

// holdings are the resources that must not grow from the beginning to the end.
type holdings struct {
	fds, goroutines int
	heap            uint64
}

func hold() holdings {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	names, _ := os.ReadDir("/proc/self/fd")
	return holdings{len(names), runtime.NumGoroutine(), m.HeapAlloc}
}

// settled waits until the holdings, except memory, are no more than before, and
// returns them.
func settled(before holdings) (now holdings) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		now = hold()
		if now.fds <= before.fds && now.goroutines <= before.goroutines {
			break
		}
	}
	return now
}

// serve runs two servers, the clients, the pressure and the measuring on a
// loop. It returns the process's holdings before the loop and after it.
func (s *soak) serve(ctx context.Context) (before, after holdings, err error) {
	config, err := certificate()
	if err != nil {
		return before, after, err
	}
	startRuntime()
	before = hold()
	o := reactor.Options{BlockedAfter: -1, Logger: slog.New(slog.DiscardHandler)}
	err = o.Run(ctx, func(ctx context.Context) error { return s.soak(ctx, config) })
	return before, settled(before), err
}

// startRuntime makes Go's own poller open the descriptors that it then keeps.
func startRuntime() {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
}

func (s *soak) soak(ctx context.Context, config *tls.Config) error {
	pln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	inner, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	sln := tls.NewListener(ctx, inner, config)
	sln.HandshakeTimeout = handshakeTimeout
	quiet := slog.New(slog.DiscardHandler)
	plain, secure := &net.Server{Logger: quiet, Grace: -1}, &net.Server{Logger: quiet, Grace: -1}
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(func(ctx context.Context) error { return plain.ServeReady(ctx, pln, echoReady) })
		g.Go(func(ctx context.Context) error {
			return secure.Serve(ctx, sln, func(_ context.Context, c net.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		})
		g.GoService(func(ctx context.Context) error { return s.measure(ctx, plain, secure) })
		g.GoService(func(ctx context.Context) error { return s.press(ctx) })
		_, err := reactor.ToThread(ctx, func(context.Context) (int, error) {
			return 0, s.clients(ctx, pln.Addr().String(), sln.Addr().String())
		})
		pln.Close()
		sln.Close()
		s.plain, s.secure = plain.Stats(), secure.Stats()
		return err
	})
}

// echoReady echoes what there is.
func echoReady(_ context.Context, c *net.ReadyConn) error {
	b, err := c.Borrow()
	if err != nil {
		return err
	}
	_, err = c.Write(b)
	return err
}

// measure samples the loop's lateness all the time, and other figures now and
// then.
func (s *soak) measure(ctx context.Context, servers ...*net.Server) error {
	const step = 10 * time.Millisecond
	for i := 0; ; i++ {
		due := time.Now().Add(step)
		if err := reactor.Sleep(ctx, step); err != nil {
			return nil
		}
		s.worst = max(s.worst, time.Since(due))
		if i%50 == 0 {
			var active int64
			for _, srv := range servers {
				active += int64(srv.Stats().Active)
			}
			s.peak = max(s.peak, active)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			s.heap = max(s.heap, m.HeapAlloc)
		}
	}
}

// press makes descriptors and memory scarce for a second, now and then: no new
// descriptor can be opened, and the garbage collector runs without pause.
func (s *soak) press(ctx context.Context) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for reactor.Sleep(ctx, s.pressure) == nil {
		s.spells++
		low := limit
		low.Cur = 8
		unix.Setrlimit(unix.RLIMIT_NOFILE, &low)
		memory, percent := debug.SetMemoryLimit(1), debug.SetGCPercent(10)
		reactor.Sleep(ctx, time.Second)
		debug.SetMemoryLimit(memory)
		debug.SetGCPercent(percent)
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	return nil
}
