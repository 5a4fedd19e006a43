package reactortest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// onGoroutine calls f on a goroutine and returns what it panics with, or nil.
func onGoroutine(f func()) (value any) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	return <-done
}

func raw(c *net.TCPConn) syscall.RawConn {
	r, err := c.SyscallConn()
	if err != nil {
		panic(err)
	}
	return r
}

// What would make a run differ is refused.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(ctx context.Context)
		want string
	}{
		{"Receive", func(ctx context.Context) { reactor.Receive(ctx, make(chan int)) }, "Receive waits for a goroutine"},
		{"OnSignal", func(ctx context.Context) {
			reactor.OnSignal(ctx, func(os.Signal) {}, syscall.SIGUSR1)
			reactor.Sleep(ctx, time.Second)
		}, "OnSignal waits"},
		{"WithTimeout", func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			reactor.Sleep(ctx, time.Second)
		}, "use reactor.Timeout"},
		{"a real fd", func(ctx context.Context) {
			if err := reactor.WaitReadable(ctx, 0); err == nil {
				panic("no error")
			}
			reactor.Sleep(ctx, time.Second)
		}, "descriptor 0 is a real one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			testkit.Leaks(t)
			failing(t, func(t testing.TB) {
				reactortest.Simulate(t, func(ctx context.Context, n *network) { c.do(ctx) }, 1)
			}, "make the run differ", c.want, "refusal_test.go", "seed 1 failed")
		})
	}
}

// A goroutine's call is answered with an error, or panics as it does in production,
// and in any case it ends the run, with the goroutine's stack, even if nothing else
// was going to happen.
func TestGoroutinesAreRefused(t *testing.T) {
	type world struct {
		ctx  context.Context
		loop *reactor.Loop
		conn *net.TCPConn
		ln   net.Listener
		udp  net.PacketConn
		fut  reactor.Future[int]
	}
	one := make([]byte, 1)
	for name, call := range map[string]func(w *world) error{
		"Loop.Post": func(w *world) error { return w.loop.Post(func() {}) },
		"Submit": func(w *world) error {
			_, err := reactor.Submit(w.loop, func(context.Context) (int, error) { return 0, nil })(w.ctx)
			return err
		},
		"Dial": func(w *world) error { _, err := net.Dial(w.ctx, "tcp", "server:7"); return err },
		"Dialer.Loop": func(w *world) error {
			_, err := (&net.Dialer{Loop: w.loop}).DialContext(context.Background(), "tcp", "10.0.0.2:7")
			return err
		},
		"Listen":           func(w *world) error { _, err := net.Listen(w.ctx, "tcp", ":8"); return err },
		"ListenPacket":     func(w *world) error { _, err := net.ListenPacket(w.ctx, "udp", ":8"); return err },
		"Accept":           func(w *world) error { _, err := w.ln.Accept(); return err },
		"Listener.Close":   func(w *world) error { return w.ln.Close() },
		"Read":             func(w *world) error { _, err := w.conn.Read(one); return err },
		"Write":            func(w *world) error { _, err := w.conn.Write(one); return err },
		"ReadFrom":         func(w *world) error { _, err := w.conn.ReadFrom(strings.NewReader("x")); return err },
		"Close":            func(w *world) error { return w.conn.Close() },
		"CloseWrite":       func(w *world) error { return w.conn.CloseWrite() },
		"SetDeadline":      func(w *world) error { return w.conn.SetDeadline(time.Time{}) },
		"RawConn.Control":  func(w *world) error { return raw(w.conn).Control(func(uintptr) {}) },
		"RawConn.Read":     func(w *world) error { return raw(w.conn).Read(func(uintptr) bool { return true }) },
		"File":             func(w *world) error { _, err := w.conn.File(); return err },
		"SetNoDelay":       func(w *world) error { return w.conn.SetNoDelay(true) },
		"UDP read":         func(w *world) error { _, _, err := w.udp.ReadFrom(one); return err },
		"UDP write":        func(w *world) error { _, err := w.udp.WriteTo(one, w.udp.LocalAddr()); return err },
		"Sleep":            func(w *world) error { return reactor.Sleep(w.ctx, time.Second) },
		"Go":               func(w *world) error { reactor.Go(w.ctx, func(context.Context) error { return nil }); return nil },
		"CallSoon":         func(w *world) error { w.loop.CallSoon(func() {}); return nil },
		"a task waits too": func(w *world) error { w.fut.SetResult(1); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Leaks(t)
			failing(t, func(rec testing.TB) {
				reactortest.Simulate(rec, func(ctx context.Context, n *network) {
					n.Host("server").Start(echo)
					w := &world{ctx: ctx, loop: reactor.LoopOf(ctx), conn: dial(t, ctx, "server:7").(*net.TCPConn)}
					w.ln, _ = net.Listen(ctx, "tcp", ":9")
					w.udp, _ = net.ListenPacket(ctx, "udp", ":9")
					reactor.Go(ctx, func(ctx context.Context) error { w.fut.Await(ctx); return nil })
					reactor.Yield(ctx)
					var err error
					value := onGoroutine(func() { err = call(w) }) // the loop's thread waits for it
					if err == nil && value == nil {
						t.Error("it succeeds")
					}
					if err != nil && !strings.Contains(err.Error(), "called by a goroutine that is no task") {
						t.Error(err)
					}
				}, 1)
			}, "make the run differ", "by a goroutine that is no task", "[running]", "TestGoroutinesAreRefused.func", "seed 1 failed")
		})
	}
}

// A library's goroutines are refused, and the task that waits for them learns of it.
func TestHTTPClientIsRefused(t *testing.T) {
	testkit.Leaks(t)
	failing(t, func(rec testing.TB) {
		reactortest.Simulate(rec, func(ctx context.Context, n *network) {
			n.Host("server").Start(echo)
			reactor.Yield(ctx)
			tr := &http.Transport{DialContext: new(net.Dialer).DialContext}
			defer tr.CloseIdleConnections()
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://server:7/", nil)
			if _, err := tr.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "make the run differ") {
				t.Error(err)
			}
		}, 1)
	}, "make the run differ", "net/http.(*Transport).dial", "[running]", "seed 1 failed")

	failing(t, func(rec testing.TB) { // one whose connection was made by a task
		reactortest.Simulate(rec, func(ctx context.Context, n *network) {
			n.Host("server").Start(echo)
			c := dial(t, ctx, "server:7")
			tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil }}
			defer tr.CloseIdleConnections()
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://server:7/", nil)
			if _, err := tr.RoundTrip(req); err == nil {
				t.Error("it succeeds")
			}
		}, 1)
	}, "make the run differ", "net/http.(*persistConn)", "[running]", "seed 1 failed")
}

// A goroutine that is refused for ever, and never lets the task go on that waits for
// it, does not keep the test from ending.
func TestBlockedByARefusedGoroutine(t *testing.T) {
	reactortest.SetBlockedAfter(t, 20*time.Millisecond)
	never := make(chan bool)
	failing(t, func(rec testing.TB) {
		reactortest.Simulate(rec, func(ctx context.Context, n *network) {
			reactor.Yield(ctx)
			l := reactor.LoopOf(ctx)
			go l.Post(func() { close(never) })
			<-never
		}, 1)
	}, "make the run differ", "Loop.Post was called by a goroutine", "[running]", "task 1 blocks the loop's thread", "seed 1 failed")
}

// What a goroutine does at the very end counts too, also if the test fails otherwise.
func TestLateRefusal(t *testing.T) {
	for name, end := range map[string]func(t testing.TB){
		"":        func(testing.TB) {},
		"FailNow": func(t testing.TB) { t.FailNow() },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.Leaks(t)
			failing(t, func(rec testing.TB) {
				reactortest.Simulate(rec, func(ctx context.Context, n *network) {
					l := reactor.LoopOf(ctx)
					onGoroutine(func() { l.Post(func() {}) })
					end(rec)
				}, 1)
			}, "make the run differ", "Loop.Post was called by a goroutine", "TestLateRefusal", "seed 1 failed")
		})
	}
	var l *reactor.Loop
	var c net.Conn
	reactortest.Simulate(t, func(ctx context.Context, n *network) {
		l = reactor.LoopOf(ctx)
		n.Host("server").Start(echo)
		c = dial(t, ctx, "server:7")
	}, 1)
	if err := l.Post(func() {}); err != reactor.ErrLoopClosed { // none of the run's business
		t.Error(err)
	}
	if _, err := io.WriteString(c, "x"); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
