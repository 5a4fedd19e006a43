package net

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// A connection has two sides. In these tests a task blocks its loop, like code
// that is not written for eddy, and waits for goroutines that use the loop's
// connections.

func TestGoroutinesWhileTheLoopStands(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			testkit.Blocking(t, "Read and Write", func() error {
				go p.Write([]byte("hello"))
				b := make([]byte, 5)
				if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
					return fmt.Errorf("%q, %w", b, err)
				}
				if _, err := c.Write(b); err != nil {
					return err
				}
				_, err := io.ReadFull(p, b)
				return err
			})
			testkit.Blocking(t, "Buffers", func() error {
				if _, err := (&Buffers{[]byte("he"), []byte("llo")}).WriteTo(c); err != nil {
					return err
				}
				_, err := io.ReadFull(p, make([]byte, 5))
				return err
			})
			testkit.Blocking(t, "a deadline", func() error {
				c.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
					return fmt.Errorf("Read: %w", err)
				}
				return c.SetReadDeadline(time.Time{})
			})
			testkit.Blocking(t, "Close", func() error {
				if err := c.Close(); err != nil {
					return err
				}
				if n, err := p.Read(make([]byte, 1)); err != io.EOF {
					return fmt.Errorf("the peer read %d bytes, %w", n, err)
				}
				if err := c.Close(); !errors.Is(err, ErrClosed) {
					return fmt.Errorf("a second Close: %w", err)
				}
				return nil
			})
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
				t.Error("a task's Read:", err)
			}
		})
	}
}

// Goroutines accept and dial while the loop is blocked, and then a task uses
// their connections.
func TestAcceptAndDialWhileTheLoopStands(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			ln, err := Listen(ctx, network, anyAddr(t, network))
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			d := &Dialer{Loop: reactor.LoopOf(ctx)}
			var a, b Conn
			testkit.Blocking(t, "accept and dial", func() error {
				accepted := make(chan error)
				go func() {
					var err error
					a, err = ln.Accept()
					accepted <- err
				}()
				var err error
				b, err = d.DialContext(context.Background(), network, ln.Addr().String())
				return errors.Join(err, <-accepted)
			})
			a.SetReadDeadline(time.Now().Add(time.Hour))
			reading := reactor.Async(ctx, func(context.Context) (string, error) {
				p := make([]byte, 5)
				_, err := io.ReadFull(a, p)
				return string(p), err
			})
			parked(ctx)
			if _, err := b.Write([]byte("hello")); err != nil {
				t.Error(err)
			}
			if got, err := reading.Await(ctx); got != "hello" || err != nil {
				t.Error(got, err)
			}
			if a.RemoteAddr().Network() != network || b.LocalAddr().Network() != network {
				t.Error(a.RemoteAddr(), b.LocalAddr())
			}
			waiting := reactor.Go(ctx, func(context.Context) error { _, err := a.Read(make([]byte, 1)); return err })
			parked(ctx)
			testkit.Blocking(t, "closing", func() error { return errors.Join(a.Close(), b.Close()) })
			if err := waiting.Wait(ctx); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
}

// One write lock: the writes of a task and of goroutines are not interleaved,
// however little the kernel takes at a time.
func TestWritesOfBothSidesAreWhole(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		const writers, rounds, size = 4, 8, 300_000
		var errs sync.Map
		write := func(i int) error {
			for range rounds {
				if _, err := c.Write(bytes.Repeat([]byte{byte('a' + i)}, size)); err != nil {
					errs.Store(i, err)
					return err
				}
			}
			return nil
		}
		var goroutines sync.WaitGroup
		for i := range writers {
			if i%2 == 0 {
				goroutines.Go(func() { write(i) })
			} else {
				reactor.Go(ctx, func(context.Context) error { return write(i) })
			}
		}
		_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
			buf := make([]byte, size)
			for range writers * rounds {
				if _, err := io.ReadFull(p, buf); err != nil {
					return struct{}{}, err
				}
				if bytes.Count(buf, buf[:1]) != size {
					return struct{}{}, errors.New("two writes are mixed")
				}
			}
			goroutines.Wait()
			return struct{}{}, nil
		})
		errs.Range(func(i, err any) bool { t.Error(i, err); return true })
		if err != nil {
			t.Error(err)
		}
	})
}

// A task's Close does not wait for goroutines that use the connection; they and
// the peer notice it at once.
func TestCloseByATaskWhileAGoroutineReads(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		got := make(chan error, 1)
		go func() { _, err := c.Read(make([]byte, 1)); got <- err }()
		for !c.(*TCPConn).fd.Awaited() {
			reactor.Yield(ctx)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.Read(make([]byte, 1)); err != io.EOF { // the loop stands
			t.Error("the peer:", err)
		}
		if err := <-got; !errors.Is(err, ErrClosed) {
			t.Error("the goroutine:", err)
		}
	})
}

// A deadline that one side sets ends the other's wait.
func TestDeadlinesOfTheOtherSide(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, _ := withStd(t, ctx, "tcp")
		read := func() error { _, err := c.Read(make([]byte, 1)); return err }
		got := make(chan error, 1)
		go func() { got <- read() }()
		for !c.(*TCPConn).fd.Awaited() {
			reactor.Yield(ctx)
		}
		c.SetReadDeadline(past())
		if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a goroutine:", err)
		}
		outside(t, ctx, func() error { return c.SetReadDeadline(time.Time{}) })
		waiting := reactor.Go(ctx, func(context.Context) error { return read() })
		parked(ctx)
		outside(t, ctx, func() error { return c.SetReadDeadline(past()) })
		if err := waiting.Wait(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a task:", err)
		}
		// A deadline set before the other side existed applies to it too.
		d, _ := withStd(t, ctx, "tcp")
		d.SetReadDeadline(past())
		outside(t, ctx, func() error {
			if _, err := d.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("an early one:", err)
			}
			return nil
		})
	})
}

// The kernel reports a reset once; both sides get it, whichever call of one
// side got it first.
func TestBothSidesGetAReset(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.Write(testkit.Pattern(100_000))
	read := func(c *TCPConn) error { _, err := c.Read(make([]byte, 1)); return err }
	for name, call := range map[string]func(c *TCPConn) error{
		"Read":  read,
		"Write": func(c *TCPConn) error { _, err := c.Write([]byte("x")); return err },
		"Buffers": func(c *TCPConn) error {
			_, err := (&Buffers{[]byte("x"), []byte("y")}).WriteTo(c)
			return err
		},
		"ReadFrom of a file": func(c *TCPConn) error {
			file.Seek(0, io.SeekStart)
			_, err := c.ReadFrom(file)
			return err
		},
		"io.Copy": func(c *TCPConn) error { _, err := io.Copy(c, c); return err },
	} {
		for _, first := range []string{"a task", "a goroutine"} {
			run(t, func(ctx context.Context) {
				in, p := withStd(t, ctx, "tcp")
				c := in.(*TCPConn)
				p.(*stdnet.TCPConn).SetLinger(0)
				p.Close()
				elsewhere := func(call func(c *TCPConn) error) error {
					_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, call(c) })
					return err
				}
				var errs [2]error
				if first == "a task" {
					errs = [2]error{call(c), elsewhere(read)}
				} else {
					errs = [2]error{elsewhere(call), read(c)}
				}
				for i, err := range errs {
					if !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("%s by %s, call %d: %v", name, first, i, err)
					}
				}
			})
		}
	}
}

// A server's limits apply to goroutines that use its connections.
func TestLimitsOfBothSides(t *testing.T) {
	run(t, func(ctx context.Context) {
		const idle = 50 * time.Millisecond
		server := &Server{IdleTimeout: idle}
		v := serve(t, ctx, server, func(ctx context.Context, c Conn) error {
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) {
				io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
				return struct{}{}, nil
			})
			return err
		})
		inUse(t, ctx, v, idle)
		until(t, ctx, "the idle ones were ended", func() bool { st := server.Stats(); return st.Expired == st.Accepted })
		v.stop()
		v.end(t, ctx, nil)
	})
}

// TestHTTPInATask: the standard library's client, with goroutines of its own, in a task,
// also against a server that says nothing.
func TestHTTPInATask(t *testing.T) {
	silent, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: echoBody(t)}
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		transport := &http.Transport{DialContext: (&Dialer{Loop: reactor.LoopOf(ctx)}).DialContext}
		client := &http.Client{Transport: transport}
		for i := range 5 {
			want := bytes.Repeat([]byte("x"), 1000*(i+1))
			resp, err := client.Post("http://"+ln.Addr().String(), "text/plain", bytes.NewReader(want))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.Equal(got, want) {
				t.Error(len(got), err)
			}
		}
		err = reactor.Timeout(ctx, 20*time.Millisecond, func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, "GET", "http://"+silent.Addr().String(), nil)
			if err != nil {
				return err
			}
			_, err = client.Do(r)
			return err
		})
		if _, ok := errors.AsType[*reactor.TimeoutError](err); !ok {
			t.Error("a silent server:", err)
		}
		transport.CloseIdleConnections()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

// A connection that only goroutines use stays open when the loop ends; a
// listener does not.
func TestRunsEndLeavesWhatGoroutinesUse(t *testing.T) {
	var ln Listener
	var a, b Conn
	run(t, func(ctx context.Context) {
		var err error
		if ln, err = Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		d := &Dialer{Loop: reactor.LoopOf(ctx)}
		testkit.Blocking(t, "accept and dial", func() (err error) {
			if b, err = d.Dial("tcp", ln.Addr().String()); err == nil {
				a, err = ln.Accept()
			}
			return err
		})
		t.Cleanup(func() { a.Close(); b.Close() })
	})
	if _, err := ln.Accept(); !errors.Is(err, ErrClosed) {
		t.Error("the listener:", err)
	}
	go a.Write([]byte("hello"))
	if _, err := io.ReadFull(b, make([]byte, 5)); err != nil {
		t.Error(err)
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}
