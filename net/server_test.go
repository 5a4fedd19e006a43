package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
)

// service is a Serve that runs beside the test.
type service struct {
	addr string
	ln   Listener
	stop context.CancelFunc
	task *reactor.Task[struct{}]
	log  *logged
}

func serve(t testing.TB, ctx context.Context, s *Server, handler func(context.Context, Conn) error) *service {
	t.Helper()
	ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, ctx, s, ln, handler)
}

func serveOn(t testing.TB, ctx context.Context, s *Server, ln Listener, handler func(context.Context, Conn) error) *service {
	v := &service{addr: ln.Addr().String(), ln: ln, log: &logged{}}
	s.Logger = v.log.logger()
	ctx, v.stop = context.WithCancel(ctx)
	v.task = reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
	return v
}

func (v *service) dial(t testing.TB) stdnet.Conn {
	t.Helper()
	c, err := stdnet.Dial("tcp", v.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// end fails unless Serve returns want.
func (v *service) end(t testing.TB, ctx context.Context, want error) {
	t.Helper()
	if err := v.task.Wait(ctx); !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("Serve returned %v, want %v", err, want)
	}
	v.stop()
}

func echo(_ context.Context, c Conn) error { _, err := io.Copy(c, c); return err }

// ask sends a line and returns what comes back, on an ordinary goroutine.
func ask(t testing.TB, ctx context.Context, c stdnet.Conn, line string) (answer string) {
	t.Helper()
	outside(t, ctx, func() error {
		c.SetDeadline(time.Now().Add(patience))
		c.Write([]byte(line))
		b := make([]byte, 64)
		n, err := c.Read(b)
		answer = string(b[:n])
		if err != nil {
			answer += "|" + err.Error()
		}
		return nil
	})
	return answer
}

func TestServe(t *testing.T) {
	run(t, func(ctx context.Context) {
		type key struct{}
		ctx = context.WithValue(ctx, key{}, "value")
		busy := 0
		v := serve(t, ctx, &Server{}, func(ctx context.Context, c Conn) error {
			busy++
			defer func() { busy-- }()
			if ctx.Value(key{}) != "value" {
				t.Error("ctx lost its values")
			}
			return echo(ctx, c)
		})
		var clients []stdnet.Conn
		for i := range 10 {
			c := v.dial(t)
			clients = append(clients, c)
			if want := fmt.Sprint("hello ", i); ask(t, ctx, c, want) != want {
				t.Error("no echo")
			}
		}
		if busy != 10 {
			t.Errorf("%d handlers at once, want 10", busy)
		}
		for _, c := range clients {
			c.Close()
		}
		v.stop()
		v.end(t, ctx, nil)
		if busy != 0 || v.log.settled(t, ctx) != "" {
			t.Errorf("%d handlers left; log: %s", busy, v.log)
		}
	})
}

// TestHandlersFail: one handler's failure is logged and does not affect others.
func TestHandlersFail(t *testing.T) {
	run(t, func(ctx context.Context) {
		v := serve(t, ctx, &Server{}, func(ctx context.Context, c Conn) error {
			b := make([]byte, 64)
			for {
				n, err := c.Read(b)
				if err != nil {
					return err
				}
				switch s := string(b[:n]); s {
				case "panic":
					panic("the handler's panic")
				case "panic with an error":
					panic(fmt.Errorf("wrapped: %w", io.EOF))
				case "exit":
					runtime.Goexit()
				case "error":
					return errors.New("the handler's error")
				case "reset":
					return fmt.Errorf("wrapped: %w", syscall.ECONNRESET)
				default:
					c.Write(b[:n])
				}
			}
		})
		healthy := v.dial(t)
		ask(t, ctx, healthy, "hello")
		for line, logged := range map[string]string{
			"panic": "the handler's panic", "panic with an error": "wrapped: EOF", "error": "the handler's error", "reset": "",
			"exit": "called runtime.Goexit",
		} {
			before := v.log.settled(t, ctx)
			c := v.dial(t)
			if got := ask(t, ctx, c, line); got != "|EOF" {
				t.Errorf("%s: the connection is not closed: %q", line, got)
			}
			ask(t, ctx, healthy, "hello") // by now it has been logged
			news := strings.TrimPrefix(v.log.settled(t, ctx), before)
			if logged == "" && news != "" || !strings.Contains(news, logged) {
				t.Errorf("%s: logged %q, want %q", line, news, logged)
			}
			if (strings.HasPrefix(line, "panic") || line == "exit") && !strings.Contains(news, "TestHandlersFail") {
				t.Errorf("%s: no stack in %q", line, news)
			}
			if logged != "" && !strings.Contains(news, c.LocalAddr().String()) {
				t.Errorf("%s: the peer is not named in %q", line, news)
			}
		}
		if got := ask(t, ctx, healthy, "still there"); got != "still there" {
			t.Error("others suffered:", got)
		}
		healthy.Close()
		v.stop()
		v.end(t, ctx, nil)
	})
}

// TestGoexitInAHandlersTasks: a task that a handler has made ends, with an
// error for those who await it; neither the server nor other connections are
// affected.
func TestGoexitInAHandlersTasks(t *testing.T) {
	exit := func(ctx context.Context) error { reactor.Yield(ctx); runtime.Goexit(); return nil }
	answer := func(ctx context.Context, c io.Writer, word string) error {
		var err error
		switch word {
		case "Go":
			err = reactor.Go(ctx, exit).Wait(ctx)
		case "Group":
			err = reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error { g.Go(exit); return nil })
		case "returned":
			return reactor.Go(ctx, exit).Wait(ctx)
		}
		if (err == nil) != (word == "hello") {
			t.Errorf("%s: %v", word, err)
		}
		_, err = io.WriteString(c, word)
		return err
	}
	servers := map[string]func(ctx context.Context) *service{
		"Serve": func(ctx context.Context) *service {
			return serve(t, ctx, &Server{}, func(ctx context.Context, c Conn) error {
				b := make([]byte, 64)
				for {
					n, err := c.Read(b)
					if err == nil {
						err = answer(ctx, c, string(b[:n]))
					}
					if err != nil {
						return err
					}
				}
			})
		},
		"ServeReady": func(ctx context.Context) *service {
			return serveReady(t, ctx, &Server{}, func(ctx context.Context, c *ReadyConn) error {
				p, err := c.Borrow()
				if err != nil {
					return err
				}
				return answer(ctx, c, string(p))
			})
		},
	}
	for name, start := range servers {
		run(t, func(ctx context.Context) {
			v := start(ctx)
			healthy := v.dial(t)
			for _, word := range []string{"hello", "Go", "Group", "returned", "hello"} {
				want := word
				if word == "returned" {
					want = "|EOF"
				}
				c := v.dial(t)
				if got := ask(t, ctx, c, word); got != want {
					t.Errorf("%s, %s: answered %q", name, word, got)
				}
				if ask(t, ctx, healthy, "hello") != "hello" {
					t.Errorf("%s, %s: others suffered", name, word)
				}
				c.Close()
			}
			healthy.Close()
			v.stop()
			v.end(t, ctx, nil)
			if log := v.log.settled(t, ctx); strings.Count(log, "called runtime.Goexit") != 1 || strings.Count(log, "\n") != 1 {
				t.Errorf("%s: logged %s", name, log)
			}
		})
	}
}

// TestGraceLetsHandlersFinish: once ctx is done no more connections are
// accepted, but present ones may finish.
func TestGraceLetsHandlersFinish(t *testing.T) {
	for _, how := range []string{"ctx", "listener"} {
		run(t, func(ctx context.Context) {
			v := serve(t, ctx, &Server{Grace: time.Hour}, func(ctx context.Context, c Conn) error {
				err := echo(ctx, c)
				if ctx.Err() != nil {
					t.Error("cancelled within the grace time")
				}
				return err
			})
			c := v.dial(t)
			ask(t, ctx, c, "hello")
			if how == "ctx" {
				v.stop()
			} else {
				outside(t, ctx, v.ln.Close)
			}
			for v.ln.(*TCPListener).fd.Sysfd() >= 0 {
				reactor.Yield(ctx)
			}
			if late, err := stdnet.Dial("tcp", v.addr); err == nil {
				late.Close()
				t.Error("a closed server accepts")
			}
			for range 3 {
				if got := ask(t, ctx, c, "still"); got != "still" {
					t.Errorf("the connection was not left alone: %q", got)
				}
			}
			if _, err := v.task.Result(); err != reactor.ErrNotDone {
				t.Error("Serve did not wait for its handlers:", err)
			}
			c.Close()
			v.end(t, ctx, nil)
		})
	}
}

// TestGraceEnds: when the grace time is over, handlers are cancelled and their
// connections closed, and Serve waits for them.
func TestGraceEnds(t *testing.T) {
	for _, grace := range []time.Duration{20 * time.Millisecond, -1} {
		run(t, func(ctx context.Context) {
			handlers, returned := 0, 0
			v := serve(t, ctx, &Server{Grace: grace}, func(ctx context.Context, c Conn) error {
				handlers++
				var err error
				if handlers%2 == 0 {
					_, err = c.Read(make([]byte, 1))
				} else {
					err = reactor.Sleep(ctx, time.Hour)
				}
				if err == nil || reactor.Cause(ctx) != ErrServerClosed {
					t.Errorf("ended by %v, cause %v", err, reactor.Cause(ctx))
				}
				for range 5 { // cleaning up takes its time
					reactor.Yield(context.WithoutCancel(ctx))
				}
				returned++
				return err
			})
			for range 4 {
				v.dial(t)
			}
			for handlers < 4 {
				reactor.Yield(ctx)
			}
			start := time.Now()
			v.stop()
			v.end(t, ctx, nil)
			if time.Since(start) < grace {
				t.Error("the grace time was cut short")
			}
			if returned != 4 || v.log.settled(t, ctx) != "" {
				t.Errorf("%d handlers returned before Serve; log: %s", returned, v.log)
			}
		})
	}
}

// lazy is a connection whose Close suspends, as that of a TLS connection can.
type lazy struct {
	Conn
	ctx context.Context
}

func (c lazy) Close() error {
	err := c.Conn.Close()
	for range 5 {
		if err == nil { // the first one, which has something to send
			reactor.Yield(c.ctx)
		}
	}
	return err
}

type lazyListener struct {
	Listener
	ctx context.Context
}

func (l lazyListener) Accept() (Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lazy{c, l.ctx}, nil
}

// TestCloseThatSuspends: handlers end while Serve is closing connections.
func TestCloseThatSuspends(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v := serveOn(t, ctx, &Server{Grace: -1}, lazyListener{ln, context.WithoutCancel(ctx)}, echo)
		for range 5 {
			if c := v.dial(t); ask(t, ctx, c, "hello") != "hello" {
				t.Error("no echo")
			}
		}
		v.stop()
		v.end(t, ctx, nil)
	})
}

func TestServeMisuse(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if err := Serve(ctx, ln, nil); err == nil {
			t.Error("no handler")
		}
		if err := Serve(ctx, nil, echo); err == nil {
			t.Error("no listener")
		}
		if err := Serve(context.Background(), ln, echo); err == nil || !strings.Contains(err.Error(), "reactor.Run") {
			t.Error("no loop:", err)
		}
		outside(t, ctx, func() error {
			if err := Serve(ctx, ln, echo); err == nil || !strings.Contains(err.Error(), "task") {
				t.Error("not in the task:", err)
			}
			return nil
		})
		var called reactor.Future[error]
		reactor.LoopOf(ctx).CallSoon(func() { called.SetResult(Serve(ctx, ln, echo)) })
		if err, _ := called.Await(ctx); err == nil || !strings.Contains(err.Error(), "task") {
			t.Error("in a callback:", err)
		}
		if ln.(*TCPListener).fd.Sysfd() < 0 {
			t.Error("a refused Serve closed the listener")
		}
		ln.Close()
		if err := Serve(ctx, ln, echo); err != nil {
			t.Error("of a closed listener:", err)
		}
	})
}

// broken fails to accept, after a while.
type broken struct {
	Listener
	left int
	err  error
}

func (l *broken) Accept() (Conn, error) {
	if l.left--; l.left < 0 {
		return nil, l.err
	}
	return l.Listener.Accept()
}

func TestAcceptFails(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v := serveOn(t, ctx, &Server{Grace: time.Millisecond}, &broken{ln, 1, io.EOF}, echo)
		v.dial(t)
		v.end(t, ctx, io.EOF)
		if ln.(*TCPListener).fd.Sysfd() >= 0 {
			t.Error("the listener was left open")
		}
	})
}

// TestServeUnderFaults: interrupted and aborted accepts are ignored; if
// resources are lacking, accepting pauses, with a line in the log, and goes on.
func TestServeUnderFaults(t *testing.T) {
	for seed := range uint64(3) {
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			start := time.Now()
			k.Starve = 2
			v := serve(t, ctx, &Server{}, echo)
			for range 20 {
				c := v.dial(t)
				if got := ask(t, ctx, c, "?"); got != "?" {
					t.Errorf("seed %d: got %q", seed, got)
				}
				c.Close()
			}
			v.stop()
			v.end(t, ctx, nil)
			if n := strings.Count(v.log.settled(t, ctx), "\n"); n != 1 || !strings.Contains(v.log.settled(t, ctx), "pauses") {
				t.Errorf("seed %d: %d lines in the log, want 1: %s", seed, n, v.log)
			}
			if time.Since(start) < 2*acceptPause {
				t.Errorf("seed %d: accepting did not pause", seed)
			}
			if k.Counts["accept EINTR"] == 0 || k.Counts["accept ECONNABORTED"] == 0 {
				t.Errorf("seed %d: hardly any fault: %v", seed, k.Counts)
			}
		})
	}
}

// stuffed is a poller without room for a while, as at the limit of
// /proc/sys/fs/epoll/max_user_watches.
type stuffed struct {
	*eddy.Poller
	full int
	n    int
}

func (p *stuffed) Add(fd int, token uint64) error {
	if p.n++; p.n > 1 && p.full > 0 {
		p.full--
		return fmt.Errorf("no room: %w", syscall.ENOSPC)
	}
	return p.Poller.Add(fd, token)
}

func TestPollerIsFull(t *testing.T) {
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	runWith(t, reactor.Options{Poller: &stuffed{Poller: p, full: 1}}, func(ctx context.Context) {
		v := serve(t, ctx, &Server{}, echo)
		lost := v.dial(t)
		if got := ask(t, ctx, lost, "?"); !strings.Contains(got, "EOF") && !strings.Contains(got, "reset") {
			t.Errorf("got %q", got)
		}
		c := v.dial(t)
		if got := ask(t, ctx, c, "?"); got != "?" {
			t.Errorf("got %q", got)
		}
		c.Close()
		v.stop()
		v.end(t, ctx, nil)
	})
}
