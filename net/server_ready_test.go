package net

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

func serveReady(t testing.TB, ctx context.Context, s *Server, handler func(context.Context, *ReadyConn) error) *service {
	t.Helper()
	ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &service{addr: ln.Addr().String(), ln: ln, log: &logged{}}
	s.Logger = v.log.logger()
	ctx, v.stop = context.WithCancel(ctx)
	v.task = reactor.Go(ctx, func(ctx context.Context) error { return s.ServeReady(ctx, ln, handler) })
	return v
}

func echoReady(_ context.Context, c *ReadyConn) error {
	p, err := c.Borrow()
	if err != nil {
		return err
	}
	_, err = c.Write(p)
	return err
}

// until waits for a condition that other tasks make true.
func until(t testing.TB, ctx context.Context, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); reactor.Sleep(ctx, time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestServeReady(t *testing.T) {
	run(t, func(ctx context.Context) {
		type key struct{}
		handler := func(ctx context.Context, c *ReadyConn) error {
			if ctx.Value(key{}) != "value" {
				t.Error("ctx lost its values")
			}
			n, _ := c.State.(int)
			c.State = n + 1
			return echoReady(ctx, c)
		}
		s := &Server{}
		v := serveReady(t, context.WithValue(ctx, key{}, "value"), s, handler)
		for range 3 { // until it accepts
			reactor.Yield(ctx)
		}
		before := len(reactor.AllTasks(ctx))
		var clients []stdnet.Conn
		for i := range 10 {
			c := v.dial(t)
			clients = append(clients, c)
			for range 3 {
				if want := fmt.Sprint("hello ", i); ask(t, ctx, c, want) != want {
					t.Error("no echo")
				}
			}
		}
		if n := len(reactor.AllTasks(ctx)) - before; n != 0 {
			t.Errorf("%d tasks for connections that wait", n)
		}
		if got := s.Stats(); got != (Stats{Accepted: 10, Active: 10}) {
			t.Errorf("statistics: %+v", got)
		}
		for _, c := range clients[:5] {
			c.Close()
		}
		until(t, ctx, "five are gone", func() bool { return s.Stats().Active == 5 })
		v.stop()
		v.end(t, ctx, nil)
		if got := s.Stats(); got != (Stats{Accepted: 10}) || v.log.settled(t, ctx) != "" {
			t.Errorf("statistics: %+v; log: %s", got, v.log)
		}
	})
}

// A handler may suspend, and leave data for its next call; State holds its
// progress.
func TestReadyHandlerIsStraightLine(t *testing.T) {
	run(t, func(ctx context.Context) {
		calls := 0
		v := serveReady(t, ctx, &Server{}, func(ctx context.Context, c *ReadyConn) error {
			calls++
			var b [4]byte // a record, of which more may be there, or less
			if _, err := io.ReadFull(c, b[:]); err != nil {
				return err
			}
			if err := reactor.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c, "%s;", b)
			return err
		})
		c := v.dial(t)
		answer := make([]byte, 15)
		outside(t, ctx, func() error {
			c.SetDeadline(time.Now().Add(patience))
			c.Write([]byte("onetwoth"))
			io.ReadFull(c, answer[:10])
			c.Write([]byte("ree4"))
			_, err := io.ReadFull(c, answer[10:])
			return err
		})
		if string(answer) != "onet;woth;ree4;" || calls < 3 {
			t.Errorf("answered %q in %d calls", answer, calls)
		}
		c.Close()
		v.stop()
		v.end(t, ctx, nil)
	})
}

func TestReadyHandlersFail(t *testing.T) {
	run(t, func(ctx context.Context) {
		handler := func(ctx context.Context, c *ReadyConn) error {
			p, err := c.Borrow()
			if err != nil {
				return err
			}
			switch string(p) {
			case "panic":
				panic("the handler's panic")
			case "error":
				return errors.New("the handler's error")
			case "reset":
				return fmt.Errorf("wrapped: %w", syscall.ECONNRESET)
			case "exit":
				runtime.Goexit()
			case "close":
				return c.Close()
			}
			_, err = c.Write(p)
			return err
		}
		s := &Server{}
		v := serveReady(t, ctx, s, handler)
		other := v.dial(t)
		for _, word := range []string{"panic", "error", "reset", "close", "exit"} {
			if got := ask(t, ctx, v.dial(t), word); got != "|EOF" && !strings.Contains(got, "reset") {
				t.Errorf("%s: the peer read %q", word, got)
			}
		}
		if ask(t, ctx, other, "still") != "still" {
			t.Error("another connection was touched")
		}
		v.stop()
		v.end(t, ctx, nil)
		log := v.log.settled(t, ctx)
		if strings.Count(log, "\n") != 3 || !strings.Contains(log, "the handler's panic") || !strings.Contains(log, "the handler's error") ||
			!strings.Contains(log, "called runtime.Goexit") ||
			!strings.Contains(log, "server_ready_test.go") {
			t.Errorf("log: %s", log)
		}
		if got := s.Stats(); got != (Stats{Accepted: 6, Failed: 3}) {
			t.Errorf("statistics: %+v", got)
		}
	})
}

// On shutdown waiting connections are closed at once, and busy ones finish.
func TestServeReadyShutsDown(t *testing.T) {
	run(t, func(ctx context.Context) {
		var begun, goOn reactor.Event
		handler := func(ctx context.Context, c *ReadyConn) error {
			p, err := c.Borrow()
			if err != nil {
				return err
			}
			p = bytes.Clone(p)
			begun.Set()
			if err := goOn.Wait(ctx); err != nil {
				return err
			}
			_, err = c.Write(p)
			return err
		}
		s := &Server{Grace: time.Hour}
		v := serveReady(t, ctx, s, handler)
		waiting, busy := v.dial(t), v.dial(t)
		busy.Write([]byte("last"))
		begun.Wait(ctx)
		until(t, ctx, "both are served", func() bool { return s.Stats().Active == 2 })
		v.stop()
		if got := ask(t, ctx, waiting, ""); got != "|EOF" {
			t.Errorf("a connection that waits: %q", got)
		}
		goOn.Set()
		if got := ask(t, ctx, busy, ""); got != "last" {
			t.Errorf("a connection that is busy: %q", got)
		}
		busy.Close()
		v.end(t, ctx, nil)
	})
}

func TestServeReadyCutsOffAfterTheGrace(t *testing.T) {
	run(t, func(ctx context.Context) {
		var cause error
		var begun reactor.Event
		v := serveReady(t, ctx, &Server{Grace: -1}, func(ctx context.Context, c *ReadyConn) error {
			begun.Set()
			err := reactor.Sleep(ctx, time.Hour)
			cause = reactor.Cause(ctx)
			return err
		})
		c := v.dial(t)
		c.Write([]byte("x"))
		begun.Wait(ctx)
		v.stop()
		v.end(t, ctx, nil)
		if cause != ErrServerClosed {
			t.Errorf("cancelled for %v", cause)
		}
	})
}

func TestReadyConnPausesReading(t *testing.T) {
	run(t, func(ctx context.Context) {
		var conn *ReadyConn
		calls := 0
		v := serveReady(t, ctx, &Server{}, func(ctx context.Context, c *ReadyConn) error {
			calls++
			conn = c
			c.PauseReading()
			return echoReady(ctx, c)
		})
		c := v.dial(t)
		if ask(t, ctx, c, "one") != "one" {
			t.Error("no echo")
		}
		c.Write([]byte("two"))
		reactor.Sleep(ctx, 5*time.Millisecond)
		if calls != 1 {
			t.Errorf("%d calls while paused", calls-1)
		}
		conn.ResumeReading()
		if got := ask(t, ctx, c, ""); got != "two" || calls != 2 {
			t.Errorf("once resumed: %q, %d calls", got, calls)
		}
		c.Close()
		reactor.Sleep(ctx, time.Millisecond)
		v.stop() // with a paused connection
		v.end(t, ctx, nil)
	})
}

// A message costs no allocation, with Serve and with ServeReady.
func TestServingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	run(t, func(ctx context.Context) {
		for name, v := range map[string]*service{
			"Serve":      serve(t, ctx, &Server{Grace: -1}, echo),
			"ServeReady": serveReady(t, ctx, &Server{Grace: -1}, echoReady),
		} {
			c, err := Dial(ctx, "tcp", v.addr)
			if err != nil {
				t.Fatal(err)
			}
			p := make([]byte, 64)
			n := testing.AllocsPerRun(100, func() {
				c.Write(p)
				io.ReadFull(c, p)
			})
			if n != 0 && !(messagesAllocate && name == "ServeReady") { // its look for more is a Receive there
				t.Errorf("%s: %v allocations for a message", name, n)
			}
			c.Close()
			v.stop()
			v.end(t, ctx, nil)
		}
	})
}

func TestServeReadyOnUnixSockets(t *testing.T) {
	run(t, func(ctx context.Context) {
		path := filepath.Join(t.TempDir(), "s")
		ln, err := Listen(ctx, "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		task := reactor.Go(ctx, func(ctx context.Context) error { return ServeReady(ctx, ln, echoReady) })
		c, err := stdnet.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if ask(t, ctx, c, "hello") != "hello" {
				t.Error("no echo")
			}
		}
		c.Close()
		ln.Close()
		if err := task.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestServeReadyMisuse(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if err := (&Server{}).ServeReady(ctx, ln, nil); err == nil || !strings.Contains(err.Error(), "without a handler") {
			t.Errorf("without a handler: %v", err)
		}
		if err := ServeReady(ctx, struct{ Listener }{ln}, echoReady); err == nil || !strings.Contains(err.Error(), "use Serve") {
			t.Errorf("another's listener: %v", err)
		}
		if err := ServeReady(ctx, nil, echoReady); err == nil {
			t.Error("no listener: no error")
		}
		if err := ServeReady(context.Background(), ln, echoReady); err == nil || !strings.Contains(err.Error(), "reactor.Run") {
			t.Errorf("outside a task: %v", err)
		}
	})
}

// TestBorrowedBytesAreWrittenWhole: a Write copies what it can't write at once,
// because other tasks may borrow the memory while it waits.
func TestBorrowedBytesAreWrittenWhole(t *testing.T) {
	run(t, func(ctx context.Context) {
		handler := func(ctx context.Context, c *ReadyConn) error {
			c.SetWriteBuffer(4 << 10)
			return echoReady(ctx, c)
		}
		s := &Server{}
		v := serveReady(t, ctx, s, handler)
		const size, clients = 1 << 20, 4
		var group []*reactor.Task[struct{}]
		for i := range clients {
			c := v.dial(t)
			group = append(group, reactor.Go(ctx, func(ctx context.Context) error {
				_, err := reactor.ToThread(ctx, func(context.Context) (any, error) { return nil, swap(c, byte(i+1), size) })
				return err
			}))
		}
		for _, task := range group {
			if err := task.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		v.stop()
		v.end(t, ctx, nil)
	})
}

// swap sends size bytes, all b, in the background, and reads them back,
// slowly at first.
func swap(c stdnet.Conn, b byte, size int) error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	go c.Write(bytes.Repeat([]byte{b}, size))
	time.Sleep(20 * time.Millisecond) // for the other end's buffer to fill up
	got := make([]byte, size)
	if n, err := io.ReadFull(c, got); err != nil {
		return fmt.Errorf("%d bytes: %w", n, err)
	}
	if i := slices.IndexFunc(got, func(g byte) bool { return g != b }); i >= 0 {
		return fmt.Errorf("byte %d of client %d is client %d's", i, b, got[i])
	}
	return nil
}

func TestBorrow(t *testing.T) {
	run(t, func(ctx context.Context) {
		dialled, accepted := pair(t, ctx, "tcp")
		a, b := dialled.(*TCPConn), accepted.(*TCPConn)
		a.Write([]byte("hello"))
		p, err := b.Borrow()
		if string(p) != "hello" || err != nil || cap(p) != len(p) {
			t.Errorf("borrowed %q of %d, %v", p, cap(p), err)
		}
		if _, err := reactor.ToThread(ctx, func(context.Context) (any, error) { return b.Borrow() }); err == nil || !strings.Contains(err.Error(), "use Read") {
			t.Errorf("elsewhere: %v", err)
		}
		b.SetReadDeadline(time.Unix(1, 0))
		if _, err := b.Borrow(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		b.SetReadDeadline(time.Time{})
		a.CloseWrite()
		if p, err := b.Borrow(); len(p) != 0 || err != io.EOF {
			t.Errorf("at the end: %q, %v", p, err)
		}
		a.Close()
		b.Close()
		if _, err := b.Borrow(); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		if _, err := (&TCPConn{}).Borrow(); err != syscall.EINVAL {
			t.Errorf("a zero conn: %v", err)
		}
	})
}

func TestBorrowedForTooLongPanicsInDebugMode(t *testing.T) {
	var text logged
	runWith(t, reactor.Options{Debug: true}, func(ctx context.Context) {
		handler := func(ctx context.Context, c *ReadyConn) error {
			p, err := c.Borrow()
			if err != nil {
				return err
			}
			reactor.Yield(ctx)
			_, err = c.Write(p)
			return err
		}
		s := &Server{}
		v := serveReady(t, ctx, s, handler)
		if got := ask(t, ctx, v.dial(t), "hello"); strings.Contains(got, "hello") {
			t.Errorf("answered %q", got)
		}
		v.stop()
		v.end(t, ctx, nil)
		text.Write([]byte(v.log.settled(t, ctx)))
	})
	if !strings.Contains(text.String(), "had suspended") || !strings.Contains(text.String(), "server_ready_test.go") {
		t.Errorf("log: %s", &text)
	}
}
