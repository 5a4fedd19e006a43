package net

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// both runs f for Serve and for ServeReady, with handlers that answer a line, in which
// the client is named, by the same line, after some work. They record in begun
// whose requests they have read.
func bothDrain(t *testing.T, f func(t *testing.T, ctx context.Context, begun map[string]int, start func(s *Server) *service)) {
	work := func(ctx context.Context, begun map[string]int, c Conn, line []byte) error {
		begun[string(bytes.Fields(line)[0])]++
		if err := reactor.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		_, err := c.Write(line)
		return err
	}
	t.Run("Serve", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			begun := map[string]int{}
			handler := func(ctx context.Context, c Conn) error {
				in := bufio.NewReader(c)
				for {
					if err := UntilDrain(ctx, func(context.Context) error { _, err := in.Peek(1); return err }); err != nil {
						return err
					}
					line, err := in.ReadBytes('\n')
					if err == nil {
						err = work(ctx, begun, c, line)
					}
					if err != nil {
						return err
					}
				}
			}
			f(t, ctx, begun, func(s *Server) *service { return serve(t, ctx, s, handler) })
		})
	})
	t.Run("ServeReady", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			begun := map[string]int{}
			handler := func(ctx context.Context, c *ReadyConn) error {
				p, err := c.Borrow()
				if err != nil {
					return err
				}
				rest, _ := c.State.([]byte)
				rest = append(rest, p...)
				for err == nil && bytes.IndexByte(rest, '\n') >= 0 {
					line := rest[:bytes.IndexByte(rest, '\n')+1]
					rest = rest[len(line):]
					err = work(ctx, begun, c, line)
				}
				c.State, c.Partial = rest, len(rest) > 0
				return err
			}
			f(t, ctx, begun, func(s *Server) *service { return serveReady(t, ctx, s, handler) })
		})
	})
}

// TestShutdownLosesNothing: a server under load is sent SIGTERM. All requests
// that it has begun to read are answered, and it ends long before its grace
// time is over.
func TestShutdownLosesNothing(t *testing.T) {
	bothDrain(t, func(t *testing.T, ctx context.Context, begun map[string]int, start func(s *Server) *service) {
		v := start(&Server{Grace: time.Hour})
		terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		defer context.AfterFunc(terminated, v.stop)()
		const clients = 50
		got := make(map[string]int)
		var mu sync.Mutex
		outside(t, ctx, func() error {
			var all sync.WaitGroup
			for i := range clients {
				name := fmt.Sprint("client", i)
				c, err := stdnet.Dial("tcp", v.addr)
				if err != nil {
					return err
				}
				all.Go(func() {
					defer c.Close()
					c.SetDeadline(time.Now().Add(patience))
					in := bufio.NewReader(c)
					for n := 0; ; n++ {
						line := fmt.Sprintln(name, n)
						half := len(line) * (n % 2) / 2 // every other request comes in two pieces
						io.WriteString(c, line[:half])
						io.WriteString(c, line[half:])
						answer, err := in.ReadString('\n')
						if err != nil {
							return
						}
						mu.Lock()
						if got[name]++; answer != line {
							t.Errorf("answer %q, want %q", answer, line)
						}
						if n == 20 && i == 0 {
							syscall.Kill(os.Getpid(), syscall.SIGTERM)
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			return nil
		})
		v.end(t, ctx, nil)
		if len(begun) != clients {
			t.Errorf("%d clients were served, want %d", len(begun), clients)
		}
		for name, n := range begun {
			if got[name] != n {
				t.Errorf("%s: %d requests were read, and %d answers got through", name, n, got[name])
			}
		}
	})
}

// TestBusyConnectionsEnd: busy connections end after their handlers have
// answered, although their peers would go on; and the server waits for the rest
// of a partly read message.
func TestBusyConnectionsEnd(t *testing.T) {
	bothDrain(t, func(t *testing.T, ctx context.Context, begun map[string]int, start func(s *Server) *service) {
		v := start(&Server{Grace: time.Hour})
		idle, partial := v.dial(t), v.dial(t)
		ask(t, ctx, idle, "idle 1\n")
		ask(t, ctx, partial, "partial 1\n")
		partial.Write([]byte("partial"))
		reactor.Sleep(ctx, 10*time.Millisecond) // it is most likely read by now, and need not be
		v.stop()
		if got := ask(t, ctx, idle, ""); got != "|EOF" {
			t.Errorf("an idle connection: %q", got)
		}
		if got := ask(t, ctx, partial, " 2\n"); got != "partial 2\n" {
			t.Errorf("a connection in the midst of a message: %q", got)
		}
		if got := ask(t, ctx, partial, ""); got != "|EOF" {
			t.Errorf("its message is answered, and it goes on: %q", got)
		}
		idle.Close()
		partial.Close()
		v.end(t, ctx, nil)
	})
}

// TestUnreadInputKeepsTheAnswer: a handler that answers and returns without having read
// all that its peer sends; the answer arrives whole.
func TestUnreadInputKeepsTheAnswer(t *testing.T) {
	run(t, func(ctx context.Context) {
		answer := bytes.Repeat([]byte("no"), 2<<20) // more than the sockets hold
		v := serve(t, ctx, &Server{}, func(ctx context.Context, c Conn) error {
			if _, err := c.Read(make([]byte, 1)); err != nil {
				return err
			}
			for c.(*TCPConn).input() != someInput {
				reactor.Yield(ctx)
			}
			_, err := c.Write(answer)
			return err
		})
		for range 10 {
			c := v.dial(t)
			outside(t, ctx, func() error {
				c.SetDeadline(time.Now().Add(patience))
				if _, err := c.Write(make([]byte, 100_000)); err != nil {
					return err
				}
				got, err := io.ReadAll(c)
				if !bytes.Equal(got, answer) || err != nil {
					return fmt.Errorf("%d bytes of %d, %w", len(got), len(answer), err)
				}
				return c.Close()
			})
		}
		v.stop()
		v.end(t, ctx, nil)
		if log := v.log.settled(t, ctx); log != "" {
			t.Error(log)
		}
	})
}

// TestLingeringEnds: a peer that keeps sending, or just stays, does not delay
// closing for long.
func TestLingeringEnds(t *testing.T) {
	run(t, func(ctx context.Context) {
		s := &Server{}
		v := serve(t, ctx, s, func(ctx context.Context, c Conn) error {
			_, err := c.Read(make([]byte, 1))
			for c.(*TCPConn).input() != someInput {
				reactor.Yield(ctx)
			}
			return err
		})
		sends, stays := v.dial(t), v.dial(t)
		stays.Write([]byte("hello"))
		go func() {
			for {
				if _, err := sends.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}()
		until(t, ctx, "both have come and gone", func() bool { got := s.Stats(); return got.Accepted == 2 && got.Active == 0 })
		v.stop()
		v.end(t, ctx, nil)
		sends.Close()
	})
}

func TestUntilDrain(t *testing.T) {
	run(t, func(ctx context.Context) {
		boom := errors.New("boom")
		if err := UntilDrain(ctx, func(context.Context) error { return boom }); err != boom || Draining(ctx) {
			t.Errorf("without a server: %v", err)
		}
		var waits, leaves reactor.Event
		handler := func(ctx context.Context, c Conn) error {
			for _, want := range []error{nil, boom} { // several, one within the other
				err := UntilDrain(ctx, func(ctx context.Context) error {
					return UntilDrain(ctx, func(context.Context) error { return want })
				})
				if err != want || Draining(ctx) {
					t.Errorf("got %v, want %v", err, want)
				}
			}
			err := UntilDrain(ctx, func(ctx context.Context) error {
				waits.Set()
				return reactor.Sleep(ctx, time.Hour)
			})
			if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrDraining) || !Draining(ctx) || ctx.Err() != nil {
				t.Errorf("drained with %v; the handler's ctx: %v", err, ctx.Err())
			}
			if err := UntilDrain(ctx, func(ctx context.Context) error { return reactor.Yield(ctx) }); !errors.Is(err, ErrDraining) {
				t.Errorf("once more: %v", err)
			}
			leaves.Set()
			return err
		}
		v := serve(t, ctx, &Server{Grace: time.Hour}, handler)
		c := v.dial(t)
		waits.Wait(ctx)
		v.stop()
		leaves.Wait(ctx)
		c.Close()
		v.end(t, ctx, nil)
		if log := v.log.settled(t, ctx); log != "" {
			t.Error(log)
		}
	})
}
