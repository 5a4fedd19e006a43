package tls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

const megabytes = 1 << 20

// bothWays writes msg to c and reads it, concurrently in two tasks, and then
// shuts down writing.
func bothWays(ctx context.Context, c *Conn, msg []byte) error {
	return reactor.Group(ctx, func(_ context.Context, g *reactor.TaskGroup) error {
		g.Go(func(context.Context) error {
			if n, err := c.Write(msg); n != len(msg) || err != nil {
				return fmt.Errorf("write: %d, %w", n, err)
			}
			return c.CloseWrite()
		})
		g.Go(func(context.Context) error {
			got, err := io.ReadAll(c)
			return errors.Join(err, testkit.Same(got, msg))
		})
		return nil
	})
}

// TestBothWays: ten megabytes go each way concurrently, between tasks.
func TestBothWays(t *testing.T) {
	msg := testkit.Pattern(10 * megabytes)
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		run(t, func(ctx context.Context) {
			d, a := wires(t, ctx)
			config := clientConfig()
			config.MaxVersion = version
			client, server := Client(ctx, d, config), Server(ctx, a, serverConfig())
			err := reactor.Group(ctx, func(_ context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error { return bothWays(ctx, client, msg) })
				g.Go(func(ctx context.Context) error { return bothWays(ctx, server, msg) })
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if v := server.ConnectionState().Version; v != version {
				t.Errorf("spoke %s", tls.VersionName(v))
			}
			client.Close()
			server.Close()
		})
	}
}

// TestEchoWithStd: ten megabytes are echoed between this and the standard library,
// each as the server and as the client.
func TestEchoWithStd(t *testing.T) {
	msg := testkit.Pattern(10 * megabytes)
	t.Run("std client", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			ln, err := Listen(ctx, "tcp", "127.0.0.1:0", serverConfig())
			if err != nil {
				t.Fatal(err)
			}
			serving := reactor.Go(ctx, func(ctx context.Context) error { return net.Serve(ctx, ln, echo) })
			outside(t, ctx, func() error {
				c, err := tls.Dial("tcp", ln.Addr().String(), clientConfig())
				if err != nil {
					return err
				}
				return echoed(c, msg)
			})
			ln.Close()
			if err := serving.Wait(ctx); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("std server", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			ln, err := tls.Listen("tcp", "127.0.0.1:0", serverConfig())
			if err != nil {
				t.Fatal(err)
			}
			serving := reactor.Go(ctx, func(ctx context.Context) error {
				outside(t, ctx, func() error {
					c, err := ln.Accept()
					if err != nil {
						return err
					}
					defer c.Close()
					return echo(ctx, c)
				})
				return nil
			})
			c, err := Dial(ctx, "tcp", ln.Addr().String(), clientConfig())
			if err != nil {
				t.Fatal(err)
			}
			err = reactor.Group(ctx, func(_ context.Context, g *reactor.TaskGroup) error {
				g.Go(func(context.Context) error { _, err := c.Write(msg); return errors.Join(err, c.CloseWrite()) })
				got, err := io.ReadAll(c)
				return errors.Join(err, testkit.Same(got, msg))
			})
			if err := errors.Join(err, c.Close(), serving.Wait(ctx), ln.Close()); err != nil {
				t.Error(err)
			}
		})
	})
}

func echo(_ context.Context, c net.Conn) error { _, err := io.Copy(c, c); return err }

// echoed sends msg on a std connection, reads it back, and reads the server's
// close_notify.
func echoed(c *tls.Conn, msg []byte) error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(msg)
		sent <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.ReadAll(c)
	return errors.Join(<-sent, err, testkit.Same(got, msg))
}

// choppy is a connection that moves a few bytes at a time, and yields in
// between.
type choppy struct {
	net.Conn
	ctx  context.Context
	n, i int
}

func (c *choppy) some(p []byte) []byte {
	c.i++
	reactor.Yield(c.ctx)
	return p[:min(len(p), 1+c.i*7%c.n)]
}

func (c *choppy) Read(p []byte) (int, error) { return c.Conn.Read(c.some(p)) }

func (c *choppy) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Conn.Write(c.some(p[n:]))
		n += m
	}
	return n, err
}

// TestPieces: records come and go in pieces of any size.
func TestPieces(t *testing.T) {
	for _, size := range []int{1, 3, 100, 5000} {
		run(t, func(ctx context.Context) {
			d, a := wires(t, ctx)
			a = &choppy{Conn: a, ctx: ctx, n: size}
			client, server := Client(ctx, d, clientConfig()), Server(ctx, a, serverConfig())
			msg := testkit.Pattern(3000 * min(size, 50))
			err := reactor.Group(ctx, func(_ context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error { return bothWays(ctx, client, msg) })
				g.Go(func(ctx context.Context) error { return bothWays(ctx, server, msg) })
				return nil
			})
			if err != nil {
				t.Errorf("pieces of %d: %v", size, err)
			}
			client.Close()
			server.Close()
		})
	}
}

// TestTwoWriters: a task that writes while another one waits for room in a
// write suspends and does not block the loop's thread; the messages are not
// interleaved. crypto/tls alone blocks forever here.
func TestTwoWriters(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := shaken(t, ctx)
		const size = 8 * megabytes
		var writing []*reactor.Task[struct{}]
		for tag := range byte(3) {
			writing = append(writing, reactor.Go(ctx, func(context.Context) error {
				_, err := server.Write(bytes.Repeat([]byte{tag}, size))
				return err
			}))
		}
		parked(ctx)
		if n := len(server.out); n > bufferSize {
			t.Errorf("%d bytes are held back, want a chunk at most", n)
		}
		for tag := range byte(3) {
			got := make([]byte, size)
			if _, err := io.ReadFull(client, got); err != nil {
				t.Fatal(err)
			}
			if err := testkit.Same(got, bytes.Repeat([]byte{tag}, size)); err != nil {
				t.Errorf("message %d: %v", tag, err)
			}
		}
		for _, w := range writing {
			if err := w.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		client.Close()
		server.Close()
	})
}

// TestManyReaders: each of several reading tasks gets its share, and all get
// the end.
func TestManyReaders(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := pair(t, ctx)
		total, ends := 0, 0
		var reading []*reactor.Task[struct{}]
		for range 4 {
			reading = append(reading, reactor.Go(ctx, func(context.Context) error {
				b := make([]byte, 7)
				for {
					n, err := server.Read(b)
					total += n
					if err == io.EOF {
						ends++
						return nil
					}
					if err != nil {
						return err
					}
				}
			}))
		}
		for range 100 {
			if _, err := client.Write(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			reactor.Yield(ctx)
		}
		client.CloseWrite()
		for _, r := range reading {
			if err := r.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if total != 10_000 || ends != 4 {
			t.Errorf("read %d bytes and %d ends, want 10000 and 4", total, ends)
		}
		client.Close()
		server.Close()
	})
}

// TestCloseFromAThirdTask: one task reads, one writes, one waits to write, and
// a Close wakes all at once.
func TestCloseFromAThirdTask(t *testing.T) {
	for _, where := range []string{"task", "goroutine", "callback"} {
		for _, writers := range []int{0, 1, 3} {
			closed := func(ctx context.Context) (took time.Duration) {
				client, server := shaken(t, ctx)
				waiting := []*reactor.Task[struct{}]{reactor.Go(ctx, func(context.Context) error {
					_, err := server.Read(make([]byte, 1))
					return err
				})}
				for range writers {
					waiting = append(waiting, reactor.Go(ctx, func(context.Context) error {
						_, err := server.Write(make([]byte, 64*megabytes))
						return err
					}))
				}
				parked(ctx)
				start := time.Now()
				switch where {
				case "task":
					if err := server.Close(); err != nil {
						t.Error(err)
					}
				case "goroutine":
					outside(t, ctx, server.Close)
				case "callback":
					var closed reactor.Future[error]
					reactor.LoopOf(ctx).CallSoon(func() { closed.SetResult(server.Close()) })
					if err, _ := closed.Await(ctx); err != nil {
						t.Error(err)
					}
				}
				for i, w := range waiting {
					if err := w.Wait(ctx); !errors.Is(err, net.ErrClosed) {
						t.Errorf("%d: %v", i, err)
					}
				}
				took = time.Since(start)
				if err := server.Close(); err != net.ErrClosed {
					t.Error("the second Close:", err)
				}
				if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Error("a read after it:", err)
				}
				if _, err := server.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
					t.Error("a write after it:", err)
				}
				if writers == 0 {
					if _, err := client.Read(make([]byte, 1)); err != io.EOF {
						t.Error("the peer was not told:", err)
					}
				}
				client.Close()
				return took
			}
			run(t, func(ctx context.Context) {
				best := closed(ctx)
				for range 5 { // a busy machine may have held it up
					if best <= closeTimeout/2 {
						return
					}
					best = min(best, closed(ctx))
				}
				t.Errorf("%s, %d writers: the best of some took %v", where, writers, best)
			})
		}
	}
}

// TestCloseOfAFullConnection: if there is no room for close_notify a reader
// still returns at once, and Close gives up after a time.
func TestCloseOfAFullConnection(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := shaken(t, ctx)
		reading := reactor.Go(ctx, func(context.Context) error {
			_, err := server.Read(make([]byte, 1))
			return err
		})
		parked(ctx)
		fill(t, server)
		closing := reactor.Go(ctx, func(context.Context) error { return server.Close() })
		if err := reading.Wait(ctx); !errors.Is(err, net.ErrClosed) {
			t.Error("the reader:", err)
		}
		if closing.Finished() {
			t.Error("the reader was told when Close had given up")
		}
		client.NetConn().Close() // resets it: why wait for five seconds?
		if err := closing.Wait(ctx); err == nil {
			t.Error("the goodbye did not fail")
		}
		client.Close()
	})
}

// fill writes until there is no room, and none appears for a while.
func fill(t *testing.T, c *Conn) {
	t.Helper()
	msg := make([]byte, chunk)
	for stuck := 0; stuck < 3; {
		before := len(c.out)
		c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		_, err := c.Write(msg)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if err != nil && before > 0 && len(c.out) == before {
			stuck++
		}
		if n := len(c.out); n > bufferSize {
			t.Fatalf("writes that fail pile up: %d bytes", n)
		}
	}
	c.SetWriteDeadline(time.Time{})
}

// TestAbruptEnd: an end without close_notify is not treated as the end of the
// data.
func TestAbruptEnd(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := shaken(t, ctx)
		client.Write([]byte("half a"))
		record := server.NetConn()
		client.NetConn().Write([]byte{23, 3, 3, 0, 100, 1, 2, 3}) // the beginning of a record
		client.NetConn().Close()
		b := make([]byte, 100)
		if n, err := server.Read(b); string(b[:n]) != "half a" || err != nil {
			t.Errorf("read %q, %v", b[:n], err)
		}
		if _, err := server.Read(b); err != io.ErrUnexpectedEOF {
			t.Error("then", err)
		}
		record.Close()
		server.Close()
	})
}

// TestInterruptedReadsAndWrites: reads and writes that a deadline or a scope
// ended can continue later, and no byte is lost.
func TestInterruptedReadsAndWrites(t *testing.T) {
	interruptions := map[string]struct {
		do   func(ctx context.Context, c *Conn, f func() error) error
		want error
	}{
		"deadline": {func(_ context.Context, c *Conn, f func() error) error {
			c.SetDeadline(time.Now().Add(5 * time.Millisecond))
			defer c.SetDeadline(time.Time{})
			return f()
		}, os.ErrDeadlineExceeded},
		"Timeout": {func(ctx context.Context, _ *Conn, f func() error) error {
			return reactor.Timeout(ctx, 5*time.Millisecond, func(context.Context) error { return f() })
		}, context.DeadlineExceeded},
		"Cancel": {func(ctx context.Context, _ *Conn, f func() error) error {
			task := reactor.Go(ctx, func(context.Context) error { return f() })
			parked(ctx)
			task.Cancel(nil)
			return task.Wait(ctx)
		}, context.Canceled},
	}
	for name, i := range interruptions {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				client, server := shaken(t, ctx)
				msg := testkit.Pattern(16 * megabytes)
				sent := 0
				for round := 0; round < 3 || sent == 0; round++ { // the time may be over before anything is written
					b := make([]byte, 1)
					if err := i.do(ctx, server, func() error { _, err := server.Read(b); return err }); !errors.Is(err, i.want) {
						t.Error("read:", err)
					}
					err := i.do(ctx, server, func() error { n, err := server.Write(msg[sent:]); sent += n; return err })
					if !errors.Is(err, i.want) {
						t.Error("write:", err)
					}
					var op *stdnet.OpError
					if !errors.As(err, &op) {
						t.Errorf("%#v is no OpError", err)
					}
				}
				if sent == 0 || sent == len(msg) {
					t.Errorf("%d bytes are sent", sent)
				}
				client.Write([]byte("x"))
				if n, err := server.Read(make([]byte, 10)); n != 1 || err != nil {
					t.Error("the last read:", n, err)
				}
				receiving := reactor.Async(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(client) })
				if _, err := server.Write(msg[sent:]); err != nil {
					t.Error(err)
				}
				server.Close()
				got, err := receiving.Await(ctx)
				if err := errors.Join(err, testkit.Same(got, msg)); err != nil {
					t.Error(err)
				}
				client.Close()
			})
		})
	}
}

// TestFailedWritesDoNotPileUp: the rest of an interrupted write is written
// before more is encrypted.
func TestFailedWritesDoNotPileUp(t *testing.T) {
	run(t, func(ctx context.Context) {
		client, server := shaken(t, ctx)
		msg := make([]byte, 16*megabytes)
		for range 5 {
			reactor.Timeout(ctx, 5*time.Millisecond, func(context.Context) error { _, err := server.Write(msg); return err })
			if n := len(server.out); n > bufferSize {
				t.Errorf("%d bytes are held back", n)
			}
		}
		server.NetConn().Close()
		client.Close()
	})
}

// TestFromCallback: a callback may make calls that need not wait, and gets an
// error if it would have to wait; the stream stays intact.
func TestFromCallback(t *testing.T) {
	run(t, func(ctx context.Context) {
		call := func(f func() error) error {
			var called reactor.Future[error]
			reactor.LoopOf(ctx).CallSoon(func() { called.SetResult(f()) })
			err, _ := called.Await(ctx)
			return err
		}
		client, server := pair(t, ctx)
		for _, f := range []func() error{
			server.Handshake,
			func() error { return server.HandshakeContext(ctx) },
			func() error { _, err := server.Read(make([]byte, 1)); return err },
			func() error { _, err := server.Write(make([]byte, 1)); return err },
		} {
			if err := call(f); !errors.Is(err, errInCallback) {
				t.Error("before the handshake:", err)
			}
		}
		greet := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
		if err := errors.Join(client.Handshake(), greet.Wait(ctx)); err != nil {
			t.Fatal(err)
		}
		if err := call(func() error { _, err := server.Write([]byte("hello")); return err }); err != nil {
			t.Error("write:", err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(client, b); err != nil || string(b) != "hello" {
			t.Errorf("%q, %v", b, err)
		}
		if err := call(func() error { _, err := server.Read(b); return err }); err == nil {
			t.Error("a read had nothing to read")
		}
		client.Write([]byte("world"))
		for {
			err := call(func() error { _, err := io.ReadFull(server, b); return err })
			if err == nil {
				break
			}
			reactor.Yield(ctx)
		}
		if string(b) != "world" {
			t.Errorf("read %q", b)
		}
		reading := reactor.Go(ctx, func(context.Context) error { _, err := server.Read(b); return err })
		parked(ctx)
		if err := call(func() error { _, err := server.Read(b); return err }); !errors.Is(err, errInCallback) {
			t.Error("while another reads:", err)
		}
		if err := call(client.Close); err != nil {
			t.Error(err)
		}
		if err := reading.Wait(ctx); err != io.EOF {
			t.Error(err)
		}
		server.Close()
	})
}

// TestNoLoop: without a loop every method returns an error that says so, and
// after the loop's end that the connection is closed.
func TestNoLoop(t *testing.T) {
	testkit.Leaks(t)
	a, b := stdnet.Pipe()
	defer a.Close()
	defer b.Close()
	c := Client(context.Background(), a, clientConfig())
	if err := c.Handshake(); !errors.Is(err, errNoLoop) {
		t.Error(err)
	}
	run(t, func(ctx context.Context) { c, _ = shaken(t, ctx) })
	if _, err := c.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
