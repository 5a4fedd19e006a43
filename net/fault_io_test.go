package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// Each TestFault… tests one fault alone, where TestFaults combines them. This
// file has those of reading, writing and connecting.

// always makes each second choice the same.
func always(n int) func(int) int {
	second := false
	return func(choices int) int {
		if second = !second; second {
			return n % choices
		}
		return 0
	}
}

// suffers exchanges data while every second system call suffers the fault n,
// and fails unless that was one of these.
func suffers(t *testing.T, n int, faults ...string) {
	t.Helper()
	for _, network := range []string{"tcp", "unix"} {
		underFaults(t, always(n), func(ctx context.Context, k *faulty.Sockets) {
			if err := exchange(t, ctx, network, testkit.Pattern(20_000), 1000); err != nil {
				t.Errorf("%s: %v", network, err)
			}
			for _, f := range faults {
				if k.Counts[f] == 0 {
					t.Errorf("%s: never a %s: %v", network, f, k.Counts)
				}
			}
		})
	}
}

// TestFaultInterrupted: a call that a signal interrupts is made again.
func TestFaultInterrupted(t *testing.T) { suffers(t, 1, "read EINTR", "write EINTR") }

// TestFaultSpuriousReadiness: a task waits again if readiness was reported
// wrongly.
func TestFaultSpuriousReadiness(t *testing.T) { suffers(t, 2, "read EAGAIN", "write EAGAIN") }

// TestFaultShortTransfers: reads and writes of one byte, and of half.
func TestFaultShortTransfers(t *testing.T) {
	suffers(t, 3, "read of one byte", "write of one byte")
	suffers(t, 4, "half a write")
}

// TestFaultConnectInterrupted: a connect that is interrupted goes on by itself.
func TestFaultConnectInterrupted(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		underFaults(t, faulty.Scripted([]byte{1, 1, 1}), func(ctx context.Context, k *faulty.Sockets) {
			if err := exchange(t, ctx, network, testkit.Pattern(10), 10); err != nil {
				t.Error(err)
			}
			if k.Counts["connect EINTR"] != 1 {
				t.Error("no interrupted connect:", k.Counts)
			}
		})
	}
}

// hesitant reports for a while that a socket is not connected, like some
// kernels for one that they count as writable.
type hesitant struct {
	sockets.System
	left int
}

func (k *hesitant) PeerAddr(fd int) (unix.Sockaddr, error) {
	if k.left > 0 {
		k.left--
		return nil, unix.ENOTCONN
	}
	return k.System.PeerAddr(fd)
}

// TestFaultConnectUndecided: a socket that is writable, has no error, and has no
// peer, is neither connected nor refused yet.
func TestFaultConnectUndecided(t *testing.T) {
	k := &hesitant{left: 3}
	p := faulty.NewPoller(t, faulty.Scripted(nil))
	runWith(t, reactor.Options{Sockets: k, Poller: p}, func(ctx context.Context) {
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		dialling := reactor.Async(ctx, func(ctx context.Context) (Conn, error) { return Dial(ctx, "tcp", ln.Addr().String()) })
		turns := 0
		for ; !dialling.Finished(); turns++ {
			p.AgainAll() // writable, it says, and again
			reactor.Yield(ctx)
		}
		c, err := dialling.Await(ctx)
		if turns < 3 {
			t.Errorf("asked 4 times in %d turns", turns)
		}
		if err != nil || k.left != 0 || c.RemoteAddr().String() != ln.Addr().String() {
			t.Fatalf("%v, asked %d times too seldom", err, k.left)
		}
		c.Close()
	})
}

// TestFaultShortWrite: with a tiny buffer a write takes many pieces, and its n
// and err tell how far it came.
func TestFaultShortWrite(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			c.(half).SetWriteBuffer(1)
			msg := testkit.Pattern(1 << 20)
			c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
			n, err := c.Write(msg)
			if n == 0 || n == len(msg) || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: wrote %d, %v", network, n, err)
			}
			c.SetWriteDeadline(time.Time{})
			writing := reactor.Go(ctx, func(context.Context) error {
				m, err := c.Write(msg[n:])
				if m != len(msg)-n || err != nil {
					t.Errorf("%s: wrote %d of %d, %v", network, m, len(msg)-n, err)
				}
				return c.Close()
			})
			outside(t, ctx, func() error {
				got, err := io.ReadAll(p)
				return errors.Join(err, testkit.Same(got, msg))
			})
			if err := writing.Wait(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFaultReset: a reset by the peer (SO_LINGER of zero, or this package's
// SetLinger) is an error for readers and writers, both waiting and later ones.
func TestFaultReset(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		reading := reactor.Go(ctx, func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		parked(ctx)
		p.(*stdnet.TCPConn).SetLinger(0)
		p.Close()
		if err := reading.Wait(ctx); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("a reader that waited:", err)
		}
		if _, err := c.Write(make([]byte, 1)); !errors.Is(err, syscall.EPIPE) {
			t.Error("a write that came later:", err)
		}
		c.Close()

		c, p = withStd(t, ctx, "tcp")
		writing := reactor.Go(ctx, func(context.Context) error { _, err := c.Write(make([]byte, 64<<20)); return err })
		parked(ctx)
		p.(*stdnet.TCPConn).SetLinger(0)
		p.Close()
		if err := writing.Wait(ctx); !errors.Is(err, syscall.ECONNRESET) {
			t.Error("a writer that waited:", err)
		}
		c.Close()

		c, p = withStd(t, ctx, "tcp")
		c.(*TCPConn).SetLinger(0)
		c.Close()
		outside(t, ctx, func() error {
			if _, err := p.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Error("the peer of a linger of zero:", err)
			}
			return nil
		})
	})
}

// TestFaultHalfClose: the end of one direction leaves the other.
func TestFaultHalfClose(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			a, b := pair(t, ctx, network)
			if err := a.(half).CloseWrite(); err != nil {
				t.Error(err)
			}
			for range 2 { // it stays the end
				if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("%s: after the half-close: %d, %v", network, n, err)
				}
			}
			if _, err := a.Write(make([]byte, 1)); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("%s: a write in the closed direction: %v", network, err)
			}
			for i := range 10 { // the other one
				if err := passes(b, a, fmt.Sprint("still ", i)); err != nil {
					t.Errorf("%s: %v", network, err)
				}
			}
			a.Close()
			b.Close()
		})
	}
}

// passes fails unless what is written to one is read from the other.
func passes(from, to Conn, what string) error {
	if _, err := io.WriteString(from, what); err != nil {
		return err
	}
	b := make([]byte, len(what))
	if _, err := io.ReadFull(to, b); err != nil || string(b) != what {
		return errors.Join(err, fmt.Errorf("%q came as %q", what, b))
	}
	return nil
}

// TestFaultHangup: the end of a connection wakes both readers and writers, and
// data that came before it is read first.
func TestFaultHangup(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			writing := reactor.Go(ctx, func(context.Context) error { _, err := c.Write(make([]byte, 64<<20)); return err })
			parked(ctx)
			p.Write([]byte("last"))
			p.Close()
			var reads []string
			reading := reactor.Go(ctx, func(context.Context) error {
				b := make([]byte, 2)
				for {
					n, err := c.Read(b)
					if err != nil {
						return err
					}
					reads = append(reads, string(b[:n]))
				}
			})
			if err := writing.Wait(ctx); err == nil {
				t.Errorf("%s: the writer was not told", network)
			}
			if err := reading.Wait(ctx); err == nil {
				t.Errorf("%s: the reader was not told", network)
			}
			// A reset drops TCP's unread data.
			if got := fmt.Sprint(reads); network == "unix" && got != "[la st]" {
				t.Errorf("%s: read %s before the end", network, got)
			}
			c.Close()
		})
	}
}

// TestFaultCloseWithParkedTasks: a Close wakes readers, writers, waiting
// writers and acceptors at once.
func TestFaultCloseWithParkedTasks(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		c, _ := withStd(t, ctx, "tcp")
		var tasks []*reactor.Task[struct{}]
		for _, f := range []func() error{
			func() error { _, err := c.Read(make([]byte, 1)); return err },
			func() error { _, err := c.Write(make([]byte, 64<<20)); return err },
			func() error { _, err := c.Write(make([]byte, 1)); return err },
			func() error { _, err := io.Copy(io.Discard, c); return err },
			func() error { _, err := ln.Accept(); return err },
		} {
			tasks = append(tasks, reactor.Go(ctx, func(context.Context) error { return f() }))
		}
		parked(ctx)
		for i, task := range tasks {
			if task.Finished() {
				t.Error(i, "does not wait")
			}
		}
		c.Close()
		ln.Close()
		parked(ctx)
		for i, task := range tasks {
			if _, err := task.Result(); !errors.Is(err, ErrClosed) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// TestFaultSlowLoris: a peer that sends a byte at a time does not prolong an
// absolute deadline, the connection's or a scope's.
func TestFaultSlowLoris(t *testing.T) {
	const limit = 50 * time.Millisecond
	for name, read := range map[string]func(ctx context.Context, c Conn) error{
		"deadline": func(ctx context.Context, c Conn) error {
			c.SetReadDeadline(time.Now().Add(limit))
			_, err := io.ReadFull(c, make([]byte, 1<<20))
			return err
		},
		"Timeout": func(ctx context.Context, c Conn) error {
			return reactor.Timeout(ctx, limit, func(context.Context) error {
				_, err := io.ReadFull(c, make([]byte, 1<<20))
				return err
			})
		},
	} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, "tcp")
			trickle := reactor.Go(ctx, func(ctx context.Context) error {
				for {
					if _, err := p.Write([]byte("x")); err != nil {
						return nil
					}
					if err := reactor.Sleep(ctx, limit/20); err != nil {
						return err
					}
				}
			})
			start := time.Now()
			err := read(ctx, c)
			took := time.Since(start)
			if err, ok := errors.AsType[Error](err); !ok || !err.Timeout() {
				t.Errorf("%s: %v", name, err)
			}
			if took < limit || took > patience/2 {
				t.Errorf("%s: it took %v", name, took)
			}
			c.Close()
			trickle.Cancel(nil)
		})
	}
}

// TestFaultOverload: a peer that does not read its answers is, after some time,
// no longer read from: the server does not buffer its data.
func TestFaultOverload(t *testing.T) {
	run(t, func(ctx context.Context) {
		v := serve(t, ctx, &Server{}, echo)
		c := v.dial(t)
		c.(half).SetReadBuffer(1 << 16) // else the kernel holds many megabytes
		msg := testkit.Pattern(1 << 20)
		sent := 0
		outside(t, ctx, func() error {
			for {
				c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
				n, err := c.Write(msg[sent%len(msg):])
				sent += n
				if errors.Is(err, os.ErrDeadlineExceeded) {
					c.SetWriteDeadline(time.Time{})
					return nil
				}
				if err != nil || sent > 256<<20 {
					return fmt.Errorf("sent %d bytes, %v", sent, err)
				}
			}
		})
		outside(t, ctx, func() error {
			c.(half).CloseWrite()
			c.SetDeadline(time.Now().Add(patience))
			b := make([]byte, len(msg))
			for rest := sent; rest > 0; rest -= len(msg) {
				b := b[:min(rest, len(msg))]
				if _, err := io.ReadFull(c, b); err != nil {
					return err
				}
				if err := testkit.Same(b, msg[:len(b)]); err != nil {
					return err
				}
			}
			return nil
		})
		v.stop()
		v.end(t, ctx, nil)
	})
}
