package reactortest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

func TestMain(m *testing.M) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt) // os/signal's goroutine stays for good, so it is started before anybody counts
	signal.Stop(c)
	os.Exit(m.Run())
}

// A recorder is a test that may fail: it remembers what it was told.
type recorder struct {
	testing.TB
	log    strings.Builder
	failed bool
}

func (r *recorder) Helper()                    {}
func (r *recorder) Name() string               { return "TestX/sub" }
func (r *recorder) Failed() bool               { return r.failed }
func (r *recorder) Log(args ...any)            { fmt.Fprintln(&r.log, args...) }
func (r *recorder) Logf(f string, args ...any) { fmt.Fprintf(&r.log, f+"\n", args...) }
func (r *recorder) Error(args ...any)          { r.failed = true; r.Log(args...) }
func (r *recorder) Errorf(f string, args ...any) {
	r.failed = true
	r.Logf(f, args...)
}
func (r *recorder) FailNow()          { r.failed = true; runtime.Goexit() }
func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, args ...any) {
	r.Errorf(f, args...)
	runtime.Goexit()
}

// failing calls f with a test that should fail, and checks what that is told.
func failing(t *testing.T, f func(t testing.TB), want ...string) {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan bool)
	go func() { // which may exit
		defer close(done)
		f(r)
	}()
	<-done
	if !r.failed {
		t.Errorf("it does not fail; its log: %s", r.log.String())
	}
	for _, s := range want {
		if !strings.Contains(r.log.String(), s) {
			t.Errorf("the log lacks %q:\n%s", s, r.log.String())
		}
	}
}

// leaks fails t unless, once it is over, there are no more goroutines than now.
func leaks(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline := time.Now().Add(5 * time.Second)
		for runtime.NumGoroutine() > before {
			if time.Now().After(deadline) {
				buf := make([]byte, 1<<20)
				t.Fatalf("leak: %d goroutines, were %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// echo is a host's function: it serves port 7.
func echo(ctx context.Context) error {
	ln, err := net.Listen(ctx, "tcp", ":7")
	if err != nil {
		return err
	}
	return (&net.Server{Logger: quiet, Handler: copyBack}).Serve(ctx, ln)
}

func copyBack(ctx context.Context, c net.Conn) error {
	_, err := io.Copy(c, c)
	return err
}

// dial dials until somebody answers.
func dial(t testing.TB, ctx context.Context, address string) net.Conn {
	t.Helper()
	for range 100 {
		if c, err := net.Dial(ctx, "tcp", address); err == nil {
			return c
		}
		reactor.Sleep(ctx, 100*time.Millisecond)
	}
	t.Fatal("nobody answers at", address)
	return nil
}

func now(ctx context.Context) time.Duration { return reactortest.ClockOf(ctx).Now() }

// pattern is n bytes of which no two places close to each other look alike.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(n)*2654435761 + 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// through sends msg to an echo server and back.
func through(c net.Conn, ctx context.Context, msg []byte) error {
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		g.Go(func(ctx context.Context) error {
			if _, err := c.Write(msg); err != nil {
				return err
			}
			return c.(*net.TCPConn).CloseWrite()
		})
		got, err := io.ReadAll(c)
		if err == nil && !bytes.Equal(got, msg) {
			err = fmt.Errorf("%d bytes came back of %d, or others", len(got), len(msg))
		}
		return err
	})
}

// quiet is a log for what is expected.
var quiet = slog.New(slog.DiscardHandler)
