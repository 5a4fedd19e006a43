package net

import (
	"context"
	"fmt"
	"log/slog"
	stdnet "net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
)

const patience = testkit.Patience

func TestMain(m *testing.M) {
	if do := children[os.Getenv(childEnv)]; do != nil {
		do()
	}
	testkit.Settle()
	before := testkit.Holdings()
	status := m.Run()
	if err := before.Leaked(); err != nil && status == 0 {
		fmt.Println("after all tests:", err)
		status = 1
	}
	os.Exit(status)
}

// timers counts the timers in a loop's wheel. It reads unexported state of
// package reactor, and may be called after the loop has ended.
func timers(l *reactor.Loop) int64 {
	return reflect.ValueOf(l).Elem().FieldByName("core").FieldByName("wheel").FieldByName("count").Int()
}

// run runs f as the main task of a loop, and then checks for leaks.
func run(t testing.TB, f func(ctx context.Context)) {
	t.Helper()
	runWith(t, reactor.Options{}, f)
}

func runWith(t testing.TB, o reactor.Options, f func(ctx context.Context)) {
	t.Helper()
	testkit.Leaks(t)
	if o.BlockedAfter == 0 { // std's own calls stand for a while on a busy machine
		o.BlockedAfter = -1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(failing{t}, nil))
	}
	var loop *reactor.Loop
	err := o.Run(context.Background(), func(ctx context.Context) error {
		loop = reactor.LoopOf(ctx)
		return reactor.Timeout(ctx, patience, func(ctx context.Context) error {
			f(ctx)
			return ctx.Err()
		})
	})
	if err != nil {
		t.Error("the loop ended with", err)
	}
	if n := timers(loop); n > 1 { // the one is that which limits the loop's end
		t.Errorf("the loop ended with %d timers in its wheel", n)
	}
}

// underFaults runs f as the main task of a loop whose kernel is faulty.
func underFaults(t testing.TB, choose func(n int) int, f func(ctx context.Context, kernel *faulty.Sockets)) {
	t.Helper()
	k := faulty.New(t, choose)
	runWith(t, reactor.Options{Sockets: k, Poller: k.Poller}, func(ctx context.Context) { f(ctx, k) })
}

// failing is a log that must stay empty.
type failing struct{ t testing.TB }

func (w failing) Write(p []byte) (int, error) {
	w.t.Errorf("logged: %s", p)
	return len(p), nil
}

// logged is a log that any goroutine may read.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *logged) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *logged) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// settled returns the log after everything that ctx's loop has logged was
// written.
func (w *logged) settled(t testing.TB, ctx context.Context) string {
	t.Helper()
	const mark = "all that came before is here"
	reactor.LoopOf(ctx).Logger(w.logger()).Info(mark)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		w.mu.Lock()
		text := w.text.String()
		before, ok := strings.CutSuffix(strings.TrimSuffix(text, "\n"), mark+"\"")
		if ok {
			before = before[:strings.LastIndexByte(before, '\n')+1]
			w.text.Reset()
			w.text.WriteString(before)
			w.mu.Unlock()
			return before
		}
		w.mu.Unlock()
	}
	t.Fatal("the log is not written")
	return ""
}

func (w *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// outside calls f on an ordinary goroutine, while the calling task is suspended.
func outside(t testing.TB, ctx context.Context, f func() error) {
	t.Helper()
	_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, f() })
	if err != nil {
		t.Fatal(err)
	}
}

// standing is a loop that runs on its own goroutine, for tests on ordinary
// goroutines. The test must check for leaks itself.
type standing struct {
	ctx  context.Context
	loop *reactor.Loop
	stop func() // returns when the loop has ended
}

func stand(t testing.TB, o reactor.Options) *standing {
	t.Helper()
	s := &standing{}
	quit, ended := make(chan struct{}), make(chan error, 1)
	started := make(chan struct{})
	go func() {
		ended <- o.Run(context.Background(), func(ctx context.Context) error {
			s.ctx, s.loop = ctx, reactor.LoopOf(ctx)
			close(started)
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { <-quit; return struct{}{}, nil })
			return err
		})
	}()
	<-started
	s.stop = sync.OnceFunc(func() {
		close(quit)
		if err := <-ended; err != nil {
			t.Error("the loop ended with", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// within fails the test if f, called on a goroutine of its own, does not return.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs\n%s", what, testkit.Stacks())
	}
}

// pair returns both ends of a connection, in one loop.
func pair(t testing.TB, ctx context.Context, network string) (dialled, accepted Conn) {
	t.Helper()
	ln, err := Listen(ctx, network, anyAddr(t, network))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepting := reactor.Async(ctx, func(context.Context) (Conn, error) { return ln.Accept() })
	dialled, err = Dial(ctx, network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = accepting.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return dialled, accepted
}

// withStd returns one of the loop's connections and its peer, a std one. A task
// may call the peer's Close and small writes: they do not wait.
func withStd(t testing.TB, ctx context.Context, network string) (Conn, stdnet.Conn) {
	t.Helper()
	ln, err := stdnet.Listen(network, anyAddr(t, network))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := Dial(ctx, network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p, err := ln.Accept() // it is in the queue already
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return c, p
}

// anyAddr returns an address to listen on.
func anyAddr(t testing.TB, network string) string {
	if network != "unix" && network != "unixpacket" {
		return "127.0.0.1:0"
	}
	// Not t.TempDir: a socket's path may have about 100 bytes only.
	dir, err := os.MkdirTemp("", "eddy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// option returns an option of a connection's or listener's socket, of either
// package.
func option(t testing.TB, c any, level, name int) (value int) {
	t.Helper()
	var err error
	switch c := c.(type) {
	case *TCPConn:
		value, err = unix.GetsockoptInt(c.fd.Sysfd(), level, name)
	case *TCPListener:
		value, err = unix.GetsockoptInt(c.fd.Sysfd(), level, name)
	case *stdnet.TCPConn:
		raw, _ := c.SyscallConn()
		raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// parked yields until the other tasks wait, which takes a turn or two.
func parked(ctx context.Context) {
	for range 3 {
		reactor.Yield(ctx)
	}
}
