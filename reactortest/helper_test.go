package reactortest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

func TestMain(m *testing.M) {
	testkit.Settle()
	os.Exit(m.Run())
}

// A recorder is a testing.TB that records failures.
type recorder struct {
	testing.TB
	log             strings.Builder
	failed, skipped bool
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
func (r *recorder) Skipped() bool     { return r.skipped }
func (r *recorder) SkipNow()          { r.skipped = true; runtime.Goexit() }
func (r *recorder) FailNow()          { r.failed = true; runtime.Goexit() }
func (r *recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, args ...any) {
	r.Errorf(f, args...)
	runtime.Goexit()
}

// record calls f with a test that may fail.
func record(t *testing.T, f func(t testing.TB)) *recorder {
	r := &recorder{TB: t}
	done := make(chan bool)
	go func() { // which may exit
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

// failing calls f with a test that should fail, and checks its messages.
func failing(t *testing.T, f func(t testing.TB), want ...string) {
	t.Helper()
	r := record(t, f)
	if !r.failed {
		t.Errorf("it does not fail; its log: %s", r.log.String())
	}
	for _, s := range want {
		if !strings.Contains(r.log.String(), s) {
			t.Errorf("the log lacks %q:\n%s", s, r.log.String())
		}
	}
}

// echo is a host's function: it serves port 7.
func echo(ctx context.Context) error {
	ln, err := net.Listen(ctx, "tcp", ":7")
	if err != nil {
		return err
	}
	return (&net.Server{Logger: quiet}).Serve(ctx, ln, copyBack)
}

func copyBack(ctx context.Context, c net.Conn) error {
	_, err := io.Copy(c, c)
	return err
}

// dial dials until it connects.
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
		return errors.Join(err, testkit.Same(got, msg))
	})
}

// quiet is a log for expected messages.
var quiet = slog.New(slog.DiscardHandler)
