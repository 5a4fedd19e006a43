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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// TestWritesAreWhole has tasks and goroutines write large messages, which have
// to wait in their midst, while callbacks, one each turn, look for a gap to put a
// byte in: one that is called in the turn in which room is found comes before
// the task that waits for it.
func TestWritesAreWhole(t *testing.T) {
	const size = 200_000
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			c.(half).SetWriteBuffer(1)
			var tasks []*reactor.Task[struct{}]
			for tag := range byte(4) {
				write := func() error {
					if n, err := c.Write(bytes.Repeat([]byte{tag}, size)); n != size || err != nil {
						t.Errorf("write: %d, %v", n, err)
					}
					return nil
				}
				tasks = append(tasks, reactor.Go(ctx, func(ctx context.Context) error {
					if tag < 2 {
						return write()
					}
					outside(t, ctx, write)
					return nil
				}))
			}
			writing := true
			reactor.Go(ctx, func(ctx context.Context) error {
				for writing {
					reactor.LoopOf(ctx).CallSoon(func() { c.Write([]byte{intruder}) })
					reactor.Yield(ctx)
				}
				return nil
			})
			reading := reactor.Go(ctx, func(ctx context.Context) error {
				outside(t, ctx, func() error { return readMessages(p, size) })
				return nil
			})
			for _, task := range tasks {
				task.Wait(ctx)
			}
			writing = false
			c.Close()
			reading.Wait(ctx)
		})
	}
}

const intruder = 255

// readMessages reads messages of one byte, if that is the intruder's, or of size
// times the same byte, to the end.
func readMessages(p io.Reader, size int) error {
	r := bufio.NewReader(p)
	for {
		tag, err := r.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if tag == intruder {
			continue
		}
		got := make([]byte, size-1)
		if _, err := io.ReadFull(r, got); err != nil {
			return err
		}
		if err := testkit.Same(got, bytes.Repeat([]byte{tag}, len(got))); err != nil {
			return fmt.Errorf("message %d: %w", tag, err)
		}
	}
}

// TestWriteQueue: writers that wait for another one's turn are woken by a
// close, a cancellation, and in the order in which they came.
func TestWriteQueue(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		c.(*TCPConn).SetWriteBuffer(16 << 10)
		p.(*stdnet.TCPConn).SetReadBuffer(16 << 10)
		var order []int
		write := func(i, n int) func(context.Context) error {
			return func(context.Context) error {
				_, err := c.Write(bytes.Repeat([]byte{byte(i)}, n))
				order = append(order, i)
				return err
			}
		}
		big := reactor.Go(ctx, write(0, 4<<20))
		var queued []*reactor.Task[struct{}]
		for i := 1; i <= 4; i++ {
			queued = append(queued, reactor.Go(ctx, write(i, 10)))
		}
		parked(ctx)
		queued[1].Cancel(nil)
		if err := queued[1].Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Error("cancelled in the queue:", err)
		}
		p.(*stdnet.TCPConn).SetReadBuffer(1 << 20)
		go io.Copy(io.Discard, p)
		if err := big.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 2, 3} {
			if err := queued[i].Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if want := []int{2, 0, 1, 3, 4}; !equal(order, want) {
			t.Errorf("writes ended in the order %v, want %v", order, want)
		}
		p.Close()
		c.Close()
	})
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestCloseWakesQueuedWriters(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, _ := withStd(t, ctx, "tcp")
		var tasks []*reactor.Task[struct{}]
		for range 3 {
			tasks = append(tasks, reactor.Go(ctx, func(context.Context) error {
				_, err := c.Write(make([]byte, 64<<20))
				return err
			}))
		}
		parked(ctx)
		c.Close()
		for _, task := range tasks {
			if err := task.Wait(ctx); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
}

// TestPartialWrite: a write that a deadline ends says how much was taken.
func TestPartialWrite(t *testing.T) {
	for _, where := range []string{"task", "goroutine"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, "tcp")
			msg := testkit.Pattern(64 << 20)
			var n int
			write := func() (err error) { n, err = c.Write(msg); return err }
			writer := reactor.Go(ctx, func(ctx context.Context) error {
				if where == "task" {
					return write()
				}
				_, err := reactor.ToThread(ctx, func(context.Context) (any, error) { return nil, write() })
				return err
			})
			until(t, ctx, "the kernel has no more room", c.(*TCPConn).fd.Awaited)
			c.SetWriteDeadline(past())
			err := writer.Wait(ctx)
			if n == 0 || n == len(msg) || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("wrote %d, %v", n, err)
			}
			c.Close()
			got := make(chan error, 1)
			outside(t, ctx, func() error {
				all, err := io.ReadAll(p)
				got <- errors.Join(err, testkit.Same(all, msg[:n]))
				return nil
			})
			if err := <-got; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestScopeBoundsReads: methods take no ctx, and yet a scope around code that
// knows nothing of it ends them.
func TestScopeBoundsReads(t *testing.T) {
	scopes := map[string]struct {
		in   func(ctx context.Context, f func() error) error
		want error
	}{
		"Timeout": {func(ctx context.Context, f func() error) error {
			return reactor.Timeout(ctx, 5*time.Millisecond, func(context.Context) error { return f() })
		}, context.DeadlineExceeded},
		"Timeout in Timeout": {func(ctx context.Context, f func() error) error {
			return reactor.Timeout(ctx, 5*time.Millisecond, func(ctx context.Context) error {
				return reactor.Timeout(ctx, time.Hour, func(context.Context) error { return f() })
			})
		}, context.DeadlineExceeded},
		"Group": {func(ctx context.Context, f func() error) error {
			var err error
			reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
				g.Go(func(ctx context.Context) error { parked(ctx); return io.ErrNoProgress })
				err = f()
				return nil
			})
			return err
		}, context.Canceled},
		"std context, as a task's": {func(ctx context.Context, f func() error) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
			defer cancel()
			return reactor.Go(ctx, func(context.Context) error { return f() }).Wait(context.WithoutCancel(ctx))
		}, context.DeadlineExceeded},
		"Cancel": {func(ctx context.Context, f func() error) error {
			task := reactor.Go(ctx, func(context.Context) error { return f() })
			parked(ctx)
			task.Cancel(io.ErrNoProgress)
			return task.Wait(ctx)
		}, io.ErrNoProgress},
	}
	for name, s := range scopes {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				c, p := withStd(t, ctx, "tcp")
				ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				p.Write([]byte("half"))
				for what, f := range map[string]func() error{
					"ReadFull": func() error { _, err := io.ReadFull(c, make([]byte, 1<<20)); return err },
					"Write":    func() error { _, err := c.Write(make([]byte, 64<<20)); return err },
					"Accept":   func() error { _, err := ln.Accept(); return err },
					"Copy":     func() error { _, err := io.Copy(io.Discard, c); return err },
				} {
					start := time.Now()
					err := s.in(ctx, f)
					if !errors.Is(err, s.want) {
						t.Errorf("%s: got %v, want %v", what, err, s.want)
					}
					var op *OpError
					if !errors.As(err, &op) {
						t.Errorf("%s: %#v is no OpError", what, err)
					} else if s.want == context.DeadlineExceeded && !op.Timeout() {
						t.Errorf("%s: %v is no Timeout", what, err)
					}
					if s.want == context.DeadlineExceeded && time.Since(start) < 5*time.Millisecond {
						t.Errorf("%s: too early", what)
					}
				}
				if n, err := p.Write([]byte("x")); n != 1 || err != nil {
					t.Error("the connection suffered:", err)
				}
				p.Close()
			})
		})
	}
}

// TestScopeStaysBehind: a scope that ended a read does not end the next one.
func TestScopeStaysBehind(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		b := make([]byte, 8)
		for range 3 {
			err := reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { _, err := c.Read(b); return err })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}
		p.Write([]byte("x"))
		if n, err := c.Read(b); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

// TestDoneScopeRefuses: under a scope that is done even what would not have to
// wait is refused; a connection can still be closed.
func TestDoneScopeRefuses(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		p.Write([]byte("data"))
		b := make([]byte, 2)
		if _, err := c.Read(b); err != nil { // filled: there may be more, so it need not wait
			t.Fatal(err)
		}
		task := reactor.Go(ctx, func(context.Context) error {
			if n, err := c.Read(b); n != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("read: %d, %v", n, err)
			}
			if n, err := c.Write(b); n != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("write: %d, %v", n, err)
			}
			return c.Close()
		})
		task.Cancel(nil)
		if err := task.Wait(ctx); err != nil {
			t.Error("close:", err)
		}
	})
}

// TestEcho is io.Copy(c, c): the end of the peer's data ends it, and what it
// then says still arrives.
func TestEcho(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		run(t, func(ctx context.Context) {
			c, p := withStd(t, ctx, network)
			msg := testkit.Pattern(1 << 20)
			echo := reactor.Go(ctx, func(context.Context) error {
				n, err := io.Copy(c, c)
				if n != 1<<20 || err != nil {
					t.Errorf("copied %d, %v", n, err)
				}
				c.Write([]byte("bye"))
				return c.Close()
			})
			outside(t, ctx, func() error {
				go func() {
					p.Write(msg)
					p.(half).CloseWrite()
				}()
				got, err := io.ReadAll(p)
				return errors.Join(err, testkit.Same(got, append(msg, "bye"...)))
			})
			if err := echo.Wait(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestIdleCopyOwnsNoBuffer counts the buffers that are made for many idle
// connections.
func TestIdleCopyOwnsNoBuffer(t *testing.T) {
	var made atomic.Int32
	old := buffers.New
	defer func() { buffers.New = old }()
	buffers.New = func() any { made.Add(1); return old() }
	run(t, func(ctx context.Context) {
		var peers []stdnet.Conn
		for range 50 {
			c, p := withStd(t, ctx, "tcp")
			peers = append(peers, p)
			reactor.Go(ctx, func(context.Context) error { _, err := io.Copy(c, c); c.Close(); return err })
		}
		b := make([]byte, 1)
		for _, p := range peers {
			p.Write(b)
		}
		outside(t, ctx, func() error {
			for _, p := range peers {
				if _, err := io.ReadFull(p, b); err != nil {
					return err
				}
			}
			return nil
		})
		// Under -race a pool forgets a quarter of what it is given.
		if n := made.Load(); n > 40 {
			t.Errorf("%d buffers for 50 idle copies", n)
		}
		for _, p := range peers {
			p.Close()
		}
	})
}

// TestManyReaders: each of several tasks that read one connection gets its
// share, and all get the end.
func TestManyReaders(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		total, ends := 0, 0
		var tasks []*reactor.Task[struct{}]
		for range 4 {
			tasks = append(tasks, reactor.Go(ctx, func(ctx context.Context) error {
				b := make([]byte, 7)
				for {
					n, err := c.Read(b)
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
		outside(t, ctx, func() error {
			for range 100 {
				p.Write(make([]byte, 100))
			}
			return p.Close()
		})
		for _, task := range tasks {
			if err := task.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if total != 10_000 || ends != 4 {
			t.Errorf("read %d bytes and %d ends, want 10000 and 4", total, ends)
		}
	})
}

// TestBusyReaderLetsOthersRun: a task whose socket is always ready yields.
func TestBusyReaderLetsOthersRun(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		p.Write(make([]byte, 20_000))
		others := 0
		reactor.Go(ctx, func(ctx context.Context) error {
			for {
				others++
				if err := reactor.Yield(ctx); err != nil {
					return err
				}
			}
		})
		b := make([]byte, 1)
		for range 20_000 {
			if _, err := c.Read(b); err != nil {
				t.Fatal(err)
			}
		}
		if others < 20 {
			t.Errorf("others ran %d times in 20,000 reads", others)
		}
	})
}

// TestDeadlineIsNeverEarly moves a read's deadline about from elsewhere.
func TestDeadlineIsNeverEarly(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, _ := withStd(t, ctx, "tcp")
		best := time.Hour
		for range 20 {
			when := time.Now().Add(time.Millisecond)
			c.SetReadDeadline(when)
			_, err := c.Read(make([]byte, 1))
			late := time.Since(when)
			if late < 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v too early, %v", -late, err)
			}
			best = min(best, late)
		}
		if best > 50*time.Millisecond {
			t.Errorf("never less than %v late", best)
		}
	})
}

// TestDeadlinesFromEverywhere sets deadlines from many goroutines while a task
// reads: each read ends by one of them or by data, and the last one holds.
func TestDeadlinesFromEverywhere(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		reading := reactor.Go(ctx, func(ctx context.Context) error {
			b := make([]byte, 1)
			for {
				n, err := c.Read(b)
				if n == 1 && b[0] == '!' {
					return nil
				}
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					return err
				}
				reactor.Yield(ctx)
			}
		})
		outside(t, ctx, func() error {
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					for range 50 {
						c.SetReadDeadline(time.Now().Add(time.Duration(i-1) * 100 * time.Microsecond))
						p.Write([]byte("."))
					}
				})
			}
			all.Wait()
			err := c.SetReadDeadline(time.Time{})
			p.Write([]byte("!"))
			return err
		})
		if err := reading.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}
