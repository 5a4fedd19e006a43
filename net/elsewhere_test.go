package net

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	stdnet "net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// These tests call methods from everywhere where they may be called.

// everyMethod calls each of a connection's methods, whose peer is p.
func everyMethod(c Conn, p stdnet.Conn) error {
	if _, err := p.Write([]byte("hello")); err != nil {
		return err
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
		return fmt.Errorf("read %q, %v", b, err)
	}
	if n, err := c.Write(b); n != 5 || err != nil {
		return fmt.Errorf("write: %d, %v", n, err)
	}
	if _, err := io.ReadFull(p, b); err != nil {
		return err
	}
	if c.LocalAddr() == nil || c.RemoteAddr() == nil {
		return errors.New("no address")
	}
	t := c.(*TCPConn)
	for i, err := range []error{
		c.SetDeadline(time.Now().Add(time.Hour)), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}),
		t.SetNoDelay(true), t.SetKeepAlive(true), t.SetKeepAlivePeriod(time.Minute), t.SetLinger(-1),
		t.SetReadBuffer(1 << 16), t.SetWriteBuffer(1 << 16), t.CloseRead(), t.CloseWrite(),
	} {
		if err != nil {
			return fmt.Errorf("setter %d: %w", i, err)
		}
	}
	var sink bytes.Buffer
	if _, err := io.Copy(&sink, c); err != nil {
		return err
	}
	return c.Close()
}

func TestFromTask(t *testing.T) {
	run(t, func(ctx context.Context) {
		if err := everyMethod(withStd(t, ctx, "tcp")); err != nil {
			t.Error(err)
		}
	})
}

func TestFromGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		outside(t, ctx, func() error { return everyMethod(c, p) })
	})
}

func TestFromAnotherLoop(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		outside(t, ctx, func() error {
			return reactor.Run(context.Background(), func(context.Context) error { return everyMethod(c, p) })
		})
	})
}

// TestFromCallback: a callback may make calls that need not wait, and gets an
// error if it would have to wait.
func TestFromCallback(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		var done reactor.Future[error]
		reactor.LoopOf(ctx).CallSoon(func() {
			if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, ErrClosed) {
				t.Error("read:", err)
			}
			if _, err := ln.Accept(); err == nil {
				t.Error("accept succeeded")
			}
			if n, err := c.Write([]byte("from a callback")); n != 15 || err != nil {
				t.Error("write:", n, err)
			}
			for {
				if _, err := c.Write(make([]byte, 1<<16)); err != nil {
					break // full: it would have to wait
				}
			}
			if err := c.SetDeadline(past()); err != nil {
				t.Error("deadline:", err)
			}
			if err := c.Close(); err != nil {
				t.Error("close:", err)
			}
			done.SetResult(nil)
		})
		if _, err := done.Await(ctx); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 15)
		if _, err := io.ReadFull(p, b); err != nil || string(b) != "from a callback" {
			t.Errorf("got %q, %v", b, err)
		}
	})
}

// TestInterrupted ends a task's wait from other goroutines in each possible
// way.
func TestInterrupted(t *testing.T) {
	waits := map[string]func(c Conn, ln Listener) error{
		"read":   func(c Conn, _ Listener) error { _, err := c.Read(make([]byte, 1)); return err },
		"write":  func(c Conn, _ Listener) error { _, err := c.Write(make([]byte, 64<<20)); return err },
		"copy":   func(c Conn, _ Listener) error { _, err := io.Copy(io.Discard, c); return err },
		"accept": func(_ Conn, ln Listener) error { _, err := ln.Accept(); return err },
	}
	ends := map[string]struct {
		end  func(c Conn, ln Listener) error
		want error
	}{
		"close": {func(c Conn, ln Listener) error { return errors.Join(c.Close(), ln.Close()) }, ErrClosed},
		"deadline": {func(c Conn, ln Listener) error {
			return errors.Join(c.SetDeadline(past()), ln.(*TCPListener).SetDeadline(past()))
		}, os.ErrDeadlineExceeded},
	}
	for what, wait := range waits {
		for how, e := range ends {
			t.Run(what+" by "+how, func(t *testing.T) {
				run(t, func(ctx context.Context) {
					c, _ := withStd(t, ctx, "tcp")
					ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					task := reactor.Go(ctx, func(context.Context) error { return wait(c, ln) })
					parked(ctx)
					outside(t, ctx, func() error { return e.end(c, ln) })
					if err := task.Wait(ctx); !errors.Is(err, e.want) {
						t.Errorf("got %v, want %v", err, e.want)
					}
				})
			})
		}
	}
}

// TestDeadLoop: once the loop has ended, nothing works and nothing hangs.
func TestDeadLoop(t *testing.T) {
	var c, u Conn
	var lns []Listener
	path := anyAddr(t, "unix")
	run(t, func(ctx context.Context) {
		c, _ = withStd(t, ctx, "tcp")
		u, _ = withStd(t, ctx, "unix")
		for _, a := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", path}} {
			ln, err := Listen(ctx, a[0], a[1])
			if err != nil {
				t.Fatal(err)
			}
			lns = append(lns, ln)
		}
	})
	if exists(path) {
		t.Error("the loop's end closed the Unix listener, but left its file")
	}
	type method struct {
		name string
		err  func() error
	}
	var methods []method
	add := func(name string, f func() error) { methods = append(methods, method{name, f}) }
	for _, c := range []Conn{c, u} {
		h := c.(half)
		add("Read", func() error { _, err := c.Read(make([]byte, 1)); return err })
		add("Read of nothing", func() error { _, err := c.Read(nil); return err })
		add("Write", func() error { _, err := c.Write(make([]byte, 1)); return err })
		add("WriteTo", func() error { _, err := io.Copy(io.Discard, c); return err })
		add("SetDeadline", func() error { return c.SetDeadline(time.Time{}) })
		add("SetReadDeadline", func() error { return c.SetReadDeadline(past()) })
		add("SetWriteDeadline", func() error { return c.SetWriteDeadline(past()) })
		add("CloseRead", h.CloseRead)
		add("CloseWrite", h.CloseWrite)
		add("SetReadBuffer", func() error { return h.SetReadBuffer(1) })
		add("Close", c.Close)
	}
	add("SetNoDelay", func() error { return c.(*TCPConn).SetNoDelay(true) })
	add("SetLinger", func() error { return c.(*TCPConn).SetLinger(0) })
	for _, ln := range lns {
		add("Accept", func() error { _, err := ln.Accept(); return err })
		add("listener's SetDeadline", func() error {
			return ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(past())
		})
		add("listener's Close", ln.Close)
	}
	for _, m := range methods {
		within(t, m.name, func() {
			if err := m.err(); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", m.name, err)
			}
		})
	}
	if c.LocalAddr().String() == "" || lns[0].Addr().String() == "" {
		t.Error("no address")
	}
}

// TestLoopEndsUnderneath makes goroutines wait in methods while the loop ends.
func TestLoopEndsUnderneath(t *testing.T) {
	testkit.Leaks(t)
	var waiting sync.WaitGroup
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		c, _ := withStd(t, ctx, "tcp")
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		for _, f := range []func() error{
			func() error { _, err := c.Read(make([]byte, 1)); return err },
			func() error { _, err := c.Write(make([]byte, 64<<20)); return err },
			func() error { _, err := io.Copy(io.Discard, c); return err },
			func() error { _, err := ln.Accept(); return err },
		} {
			waiting.Go(func() {
				if err := f(); !errors.Is(err, ErrClosed) {
					t.Error("got", err)
				}
			})
		}
		return reactor.Sleep(ctx, 5*time.Millisecond) // most of them wait by then; all is right if they don't
	})
	if err != nil {
		t.Error(err)
	}
	within(t, "a method of a dead loop's", waiting.Wait)
}

// TestConcurrentClose closes from many goroutines at once: one of them does it.
func TestConcurrentClose(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			ln, err := Listen(ctx, network, anyAddr(t, network))
			if err != nil {
				t.Fatal(err)
			}
			c, _ := withStd(t, ctx, network)
			outside(t, ctx, func() error {
				errs := make(chan error, 16)
				for i := range cap(errs) {
					closer := []io.Closer{c, ln}[i%2]
					go func() { errs <- closer.Close() }()
				}
				good := 0
				for range cap(errs) {
					if err := <-errs; err == nil {
						good++
					} else if !errors.Is(err, ErrClosed) {
						return err
					}
				}
				if good != 2 {
					return fmt.Errorf("%d closes succeeded, want one each", good)
				}
				return nil
			})
		})
	}
}

// Methods of the zero values return the same errors as std's.
func TestZeroValues(t *testing.T) {
	c, ln := &TCPConn{}, &UnixListener{}
	_, read := c.Read(nil)
	_, write := c.Write(nil)
	_, copied := c.WriteTo(io.Discard)
	_, accepted := ln.Accept()
	_, none := (*TCPListener)(nil).AcceptTCP()
	for i, err := range []error{
		read, write, copied, accepted, none,
		c.Close(), c.SetDeadline(past()), c.CloseRead(), c.SetNoDelay(true),
		ln.Close(), ln.SetDeadline(past()),
	} {
		if err != syscall.EINVAL {
			t.Errorf("%d: got %v, want EINVAL", i, err)
		}
	}
}

// echoBody answers a request with its body.
func echoBody(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Write(body)
	})
}

// TestHTTP runs the standard library's server, which starts its own goroutines,
// on a Listener.
func TestHTTP(t *testing.T) {
	testkit.Leaks(t)
	s := stand(t, reactor.Options{})
	ln, err := Listen(s.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: echoBody(t)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	client := &http.Client{Transport: &http.Transport{}}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				want := testkit.Pattern(1000 * (i + 1))
				resp, err := client.Post("http://"+ln.Addr().String(), "text/plain", bytes.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err := errors.Join(err, testkit.Same(got, want)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	within(t, "the client", all.Wait)
	within(t, "the server's shutdown", func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	client.CloseIdleConnections()
}

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"eddy.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// TestTLS runs a crypto/tls client and server, which are not written for eddy,
// in tasks, and sends a megabyte each way concurrently.
func TestTLS(t *testing.T) {
	run(t, func(ctx context.Context) {
		a, b := pair(t, ctx, "tcp")
		server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{certificate()}})
		client := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
		err := reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
			for i, c := range []*tls.Conn{server, client} {
				out, in := testkit.Pattern(1<<20+i), make([]byte, 1<<20+1-i)
				g.Go(func(ctx context.Context) error {
					if err := c.HandshakeContext(ctx); err != nil {
						return err
					}
					wrote := reactor.Go(ctx, func(context.Context) error { _, err := c.Write(out); return err })
					if _, err := io.ReadFull(c, in); err != nil {
						return err
					}
					return errors.Join(testkit.Same(in, testkit.Pattern(len(in))), wrote.Wait(ctx), c.CloseWrite())
				})
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, c := range []*tls.Conn{server, client} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
