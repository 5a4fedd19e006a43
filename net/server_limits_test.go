package net

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	stdnet "net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// limitedServers runs f for Serve and for ServeReady, whose handler answers
// each line with a line.
func limitedServers(t *testing.T, s func() *Server, f func(t *testing.T, ctx context.Context, s *Server, v *service)) {
	t.Run("Serve", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			s := s()
			handler := func(ctx context.Context, c Conn) error {
				for {
					if err := answerLine(c); err != nil {
						return err
					}
				}
			}
			v := serve(t, ctx, s, handler)
			f(t, ctx, s, v)
			v.stop()
			v.end(t, ctx, nil)
		})
	})
	t.Run("ServeReady", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			s := s()
			handler := func(ctx context.Context, c *ReadyConn) error { return answerLine(c) }
			v := serveReady(t, ctx, s, handler)
			f(t, ctx, s, v)
			v.stop()
			v.end(t, ctx, nil)
		})
	})
}

func answerLine(c Conn) error {
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		var b [16]byte
		n, err := c.Read(b[:])
		if err != nil {
			return err
		}
		line = append(line, b[:n]...)
	}
	_, err := c.Write(line)
	return err
}

// lasts returns how long after begun the server keeps c, to which the test
// writes tick every millisecond, or nothing if that is empty.
func lasts(t *testing.T, ctx context.Context, begun time.Time, c stdnet.Conn, tick string) (d time.Duration) {
	t.Helper()
	outside(t, ctx, func() error {
		gone := make(chan error, 1)
		c.SetDeadline(time.Now().Add(patience))
		go func() {
			_, err := io.Copy(io.Discard, c)
			gone <- err
		}()
		for {
			select {
			case err := <-gone:
				d = time.Since(begun)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return errors.New("the server keeps it for ever")
				}
				return nil
			case <-time.After(time.Millisecond):
				if tick != "" {
					c.Write([]byte(tick))
				}
			}
		}
	})
	return d
}

func TestIdleTimeout(t *testing.T) {
	const limit = 60 * time.Millisecond
	limitedServers(t, func() *Server { return &Server{IdleTimeout: limit} }, func(t *testing.T, ctx context.Context, s *Server, v *service) {
		if d := lasts(t, ctx, time.Now(), v.dial(t), ""); d < limit {
			t.Errorf("a silent connection was closed after %v, early", d)
		}
		c := inUse(t, ctx, v, limit)
		lasts(t, ctx, time.Now(), c, "")
		until(t, ctx, "the last ones were counted", func() bool { st := s.Stats(); return st.Expired == st.Accepted })
		if got := s.Stats(); got.Failed != 0 || v.log.settled(t, ctx) != "" {
			t.Errorf("statistics: %+v; log: %s", got, v.log)
		}
	})
}

// inUse returns a connection that was in use for longer than limit, with less
// than limit between two messages. If this goroutine was delayed for longer
// than that, it tries another one.
func inUse(t *testing.T, ctx context.Context, v *service, limit time.Duration) stdnet.Conn {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		asked, alive := time.Now(), true
		c := v.dial(t)
		for messages := 0; alive && messages < 5; messages++ {
			reactor.Sleep(ctx, limit/3)
			before := time.Now()
			alive = ask(t, ctx, c, "hello\n") == "hello\n"
			if !alive && time.Since(asked) < limit {
				t.Errorf("closed after message %d, %v after it was sent", messages, time.Since(asked))
			}
			asked = before
		}
		if alive {
			return c
		}
		c.Close()
	}
	t.Fatal("this machine never lets a test run for long enough")
	return nil
}

// A message that trickles in is cut off, however steadily
// it does.
func TestMessageTimeout(t *testing.T) {
	const limit = 100 * time.Millisecond // far above the time between two bytes
	both := func() *Server { return &Server{IdleTimeout: time.Hour, MessageTimeout: limit} }
	limitedServers(t, both, func(t *testing.T, ctx context.Context, s *Server, v *service) {
		c := v.dial(t)
		for range 3 { // whole messages may go on for as long as they like
			reactor.Sleep(ctx, limit)
			if got := ask(t, ctx, c, "hello\n"); got != "hello\n" {
				t.Errorf("between messages: %q", got)
			}
		}
		if d := lasts(t, ctx, time.Now(), c, "x"); d < limit {
			t.Errorf("closed after %v, early", d)
		}
		until(t, ctx, "it was counted", func() bool { return s.Stats().Expired == 1 })
	})
}

// The handler's own time does not count as the peer's.
func TestLimitsSpareABusyHandler(t *testing.T) {
	const limit = 10 * time.Millisecond
	run(t, func(ctx context.Context) {
		v := serve(t, ctx, &Server{IdleTimeout: limit, MessageTimeout: limit}, func(ctx context.Context, c Conn) error {
			var b [16]byte
			n, err := c.Read(b[:])
			if err != nil {
				return err
			}
			if err := reactor.Sleep(ctx, 5*limit); err != nil {
				t.Errorf("the handler's own time: %v", err)
			}
			_, err = c.Write(b[:n])
			return err
		})
		if got := ask(t, ctx, v.dial(t), "hello"); got != "hello" {
			t.Errorf("answered %q", got)
		}
		v.stop()
		v.end(t, ctx, nil)
	})
}

func TestLimitsTellTheHandler(t *testing.T) {
	run(t, func(ctx context.Context) {
		var cause error
		v := serve(t, ctx, &Server{IdleTimeout: time.Millisecond}, func(ctx context.Context, c Conn) error {
			_, err := c.Read(make([]byte, 1))
			cause = reactor.Cause(ctx)
			if !errors.Is(err, ErrIdleTimeout) || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Read returned %v", err)
			}
			return err
		})
		lasts(t, ctx, time.Now(), v.dial(t), "")
		if cause != ErrIdleTimeout {
			t.Errorf("the cause is %v", cause)
		}
		if e, ok := cause.(interface{ Timeout() bool }); !ok || !e.Timeout() {
			t.Error("it is no timeout")
		}
		v.stop()
		v.end(t, ctx, nil)
	})
}

// Limits apply to the connection below a wrapper, such as TLS; if there is
// none, Serve returns an error instead of ignoring them.
func TestLimitsBelowAnotherConn(t *testing.T) {
	const limit = 5 * time.Millisecond
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v := serveOn(t, ctx, &Server{IdleTimeout: limit}, tls.NewListener(ln, &tls.Config{}), echo)
		lasts(t, ctx, time.Now(), v.dial(t), "")
		v.stop()
		v.end(t, ctx, nil)

		if ln, err = Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		v = serveOn(t, ctx, &Server{IdleTimeout: limit}, hiding{ln}, echo)
		v.dial(t)
		if err := v.task.Wait(ctx); err == nil || !strings.Contains(err.Error(), "NetConn") {
			t.Errorf("Serve returned %v", err)
		}
		v.stop()
	})
}

// hiding is a listener whose conns have no method NetConn.
type hiding struct{ Listener }

func (l hiding) Accept() (Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ Conn }{c}, err
}

func TestMaxConnsWait(t *testing.T) {
	run(t, func(ctx context.Context) {
		handler := echo
		s := &Server{MaxConns: 2, Grace: -1}
		v := serve(t, ctx, s, handler)
		a, b := v.dial(t), v.dial(t)
		for _, c := range []stdnet.Conn{a, b} {
			if ask(t, ctx, c, "x") != "x" {
				t.Error("no echo")
			}
		}
		c := v.dial(t) // the kernel accepts it
		c.Write([]byte("third"))
		reactor.Sleep(ctx, 5*time.Millisecond)
		if got := s.Stats(); got != (Stats{Accepted: 2, Active: 2}) {
			t.Errorf("statistics: %+v", got)
		}
		a.Close()
		if got := ask(t, ctx, c, ""); got != "third" {
			t.Errorf("once there is room: %q", got)
		}
		v.stop() // also while accepting waits for room
		v.end(t, ctx, nil)
	})
}

func TestMaxConnsShed(t *testing.T) {
	run(t, func(ctx context.Context) {
		handler := echo
		s := &Server{MaxConns: 1, Shed: true, Grace: -1}
		v := serve(t, ctx, s, handler)
		a := v.dial(t)
		if ask(t, ctx, a, "x") != "x" {
			t.Error("no echo")
		}
		for range 3 {
			if got := ask(t, ctx, v.dial(t), ""); got != "|EOF" && !strings.Contains(got, "reset") {
				t.Errorf("one too many: %q", got)
			}
		}
		if got := s.Stats(); got != (Stats{Accepted: 1, Active: 1, Shed: 3}) {
			t.Errorf("statistics: %+v", got)
		}
		v.stop()
		v.end(t, ctx, nil)
	})
}

// A Server's connections of all its listeners count.
func TestOneServerOfTwoListeners(t *testing.T) {
	run(t, func(ctx context.Context) {
		handler := echo
		s := &Server{MaxConns: 1, Grace: -1}
		v, w := serve(t, ctx, s, handler), serve(t, ctx, s, handler)
		a := v.dial(t)
		if ask(t, ctx, a, "x") != "x" {
			t.Error("no echo")
		}
		b := w.dial(t)
		b.Write([]byte("y"))
		reactor.Sleep(ctx, 5*time.Millisecond)
		if n := s.Stats().Active; n != 1 {
			t.Errorf("%d at a time", n)
		}
		a.Close()
		// The other listener had accepted it already, or does so now.
		got := ask(t, ctx, b, "")
		if st := s.Stats(); got != "y" && st.Shed != 1 {
			t.Errorf("%q, %+v", got, st)
		}
		v.stop()
		v.end(t, ctx, nil)
		w.stop()
		w.end(t, ctx, nil)
	})
}
