package net

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	stdnet "net"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// patience bounds what must happen at all. Nothing that works comes near it.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if do := children[os.Getenv(childEnv)]; do != nil {
		do()
	}
	// The standard library keeps its own poller's fds for good, and the goroutine
	// that waits for signals, which a fuzzing run starts; so they are started before
	// anybody counts.
	if ln, err := stdnet.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	before := holdings()
	status := m.Run()
	if err := before.leaked(); err != nil && status == 0 {
		fmt.Println("after all tests:", err)
		status = 1
	}
	os.Exit(status)
}

// leaks fails t unless, once it is over, there are no more goroutines and fds
// than now. Every test begins with it, or with what calls it: [run] and the like;
// what a test that does not leaves behind, TestMain finds in the end.
func leaks(t testing.TB) {
	t.Helper()
	before := holdings()
	t.Cleanup(func() {
		if err := before.leaked(); err != nil {
			t.Error(err)
		}
	})
}

// held is what a process has that a test could leave behind.
type held struct {
	goroutines int
	fds        []string
}

func holdings() held { return held{runtime.NumGoroutine(), openFDs()} }

// leaked waits until there is no more than before, and tells if that does not come.
func (before held) leaked() error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		now := holdings()
		if now.goroutines <= before.goroutines && len(now.fds) <= len(before.fds) {
			return nil
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			return fmt.Errorf("leak: goroutines %d, were %d; fds %v, were %v\n%s",
				now.goroutines, before.goroutines, now.fds, before.fds, buf[:runtime.Stack(buf, true)])
		}
	}
}

// timers counts the timers that a loop's wheel holds. It looks at what package
// reactor does not show, and may be called once the loop has ended.
func timers(l *reactor.Loop) int64 {
	return reflect.ValueOf(l).Elem().FieldByName("wheel").FieldByName("count").Int()
}

// openFDs lists the process's fds, where the system tells.
func openFDs() []string {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	return slices.DeleteFunc(names, func(s string) bool { return s == fmt.Sprint(dir.Fd()) })
}

// run runs f as the main task of a loop, and then looks for leaks.
func run(t testing.TB, f func(ctx context.Context)) {
	t.Helper()
	runWith(t, reactor.Options{}, f)
}

func runWith(t testing.TB, o reactor.Options, f func(ctx context.Context)) {
	t.Helper()
	leaks(t)
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

// failing is a log that must stay empty.
type failing struct{ t testing.TB }

func (w failing) Write(p []byte) (int, error) {
	w.t.Errorf("logged: %s", p)
	return len(p), nil
}

// logged is a log to be looked into, from any goroutine.
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

func (w *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// outside calls f on an ordinary goroutine, while the calling task is suspended.
func outside(t testing.TB, ctx context.Context, f func() error) {
	t.Helper()
	_, err := reactor.ToThread(ctx, func() (struct{}, error) { return struct{}{}, f() })
	if err != nil {
		t.Fatal(err)
	}
}

// standing is a loop that runs in a goroutine of its own, for tests that are
// ordinary goroutines. Who makes one looks for leaks himself.
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
			_, err := reactor.ToThread(ctx, func() (struct{}, error) { <-quit; return struct{}{}, nil })
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
		buf := make([]byte, 1<<20)
		t.Fatalf("%s hangs\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// pair is two connections of one loop, both ends of the same one.
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

// withStd is one of the loop's connections and a std one, its peer, whose small
// writes and closes may be called by a task: they do not wait.
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

// anyAddr is an address to listen on.
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

// option asks the kernel about a connection's or listener's socket, of either net.
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

// same fails unless two byte strings are equal, and prints no megabytes.
func same(got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	if len(got) != len(want) {
		return fmt.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("byte %d of %d is %#x, want %#x", i, len(got), got[i], want[i])
		}
	}
	return nil
}

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

// parked lets the other tasks run until they wait, which takes a turn or two.
func parked(ctx context.Context) {
	for range 3 {
		reactor.Yield(ctx)
	}
}
