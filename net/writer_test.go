package net

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// slowPair returns a connection whose kernel buffer is small, and its peer.
func slowPair(t *testing.T, ctx context.Context) (c, peer Conn) {
	t.Helper()
	c, peer = pair(t, ctx, "unix") // TCP would wait for acknowledgements
	c.(*UnixConn).SetWriteBuffer(4 << 10)
	return c, peer
}

// overfill writes to w until it holds something.
func overfill(t *testing.T, w *Writer) (sent int) {
	t.Helper()
	for p := testkit.Pattern(1 << 10); w.Buffered() == 0; sent += len(p) {
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	return sent
}

func TestWriterSendsEverythingInOrder(t *testing.T) {
	for name, hide := range map[string]bool{"its own conn": false, "another's conn": true} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				c, peer := slowPair(t, ctx)
				to := c
				if hide {
					to = struct{ Conn }{c}
				}
				w := NewWriter(ctx, to)
				want := testkit.Pattern(600 << 10)
				for p := want; len(p) > 0; { // uneven pieces, without a wait
					n := min(len(p), 1+len(p)%7777)
					if m, err := w.Write(p[:n]); m != n || err != nil {
						t.Fatalf("wrote %d of %d: %v", m, n, err)
					}
					p = p[n:]
				}
				if w.Buffered() == 0 {
					t.Error("the kernel took all of it: this tests nothing")
				}
				reader := reactor.Async(ctx, func(ctx context.Context) ([]byte, error) { return io.ReadAll(peer) })
				if err := w.Flush(ctx); err != nil || w.Buffered() != 0 {
					t.Errorf("Flush: %v, %d bytes are left", err, w.Buffered())
				}
				c.Close()
				got, err := reader.Await(ctx)
				if err != nil {
					t.Error(err)
				}
				if err := testkit.Same(got, want); err != nil {
					t.Error(err)
				}
				peer.Close()
			})
		})
	}
}

func TestWriterIsBounded(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := slowPair(t, ctx)
		w := NewWriter(ctx, c)
		w.Limit = 8 << 10
		overfill(t, w)
		held := w.Buffered()
		if n, err := w.Write(make([]byte, w.Limit-held+1)); n != 0 || err != ErrWriterFull {
			t.Errorf("one byte too many: %d, %v", n, err)
		}
		if w.Buffered() != held {
			t.Error("a part was taken")
		}
		if n, err := w.Write(make([]byte, w.Limit-held)); n != w.Limit-held || err != nil {
			t.Errorf("up to the limit: %d, %v", n, err)
		}
		if _, err := w.Write([]byte("x")); err != ErrWriterFull {
			t.Errorf("at the limit: %v", err)
		}
		reactor.Go(ctx, func(context.Context) error { io.Copy(io.Discard, peer); return nil })
		if err := w.Flush(ctx); err != nil {
			t.Error(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Errorf("once the peer has read: %v", err)
		}
		c.Close()
		peer.Close()
	})
}

func TestWriterDrain(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := slowPair(t, ctx)
		w := NewWriter(ctx, c)
		w.Limit, w.High, w.Low = 1<<20, 200<<10, 100<<10
		overfill(t, w)
		if err := w.Drain(ctx); err != nil {
			t.Error(err)
		}
		if w.Buffered() == 0 {
			t.Error("Drain waited below the high-water mark")
		}
		w.Write(make([]byte, 300<<10))
		waiter := reactor.Async(ctx, func(ctx context.Context) (int, error) {
			err := w.Drain(ctx)
			return w.Buffered(), err
		})
		for range 5 {
			reactor.Yield(ctx)
		}
		if waiter.Finished() {
			t.Error("Drain did not wait above the high-water mark")
		}
		err := reactor.Timeout(ctx, time.Millisecond, w.Drain)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain in a Timeout: %v", err)
		}
		reactor.Go(ctx, func(context.Context) error { io.Copy(io.Discard, peer); return nil })
		if n, err := waiter.Await(ctx); err != nil || n > w.Low {
			t.Errorf("Drain returned %v with %d bytes held, want at most %d", err, n, w.Low)
		}
		if err := w.Flush(ctx); err != nil {
			t.Error(err)
		}
		c.Close()
		peer.Close()
	})
}

func TestWriterFails(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := slowPair(t, ctx)
		w := NewWriter(ctx, c)
		w.High, w.Low = 1, 0
		overfill(t, w)
		w.Write(make([]byte, 10))
		waiter := reactor.Go(ctx, w.Drain)
		reactor.Yield(ctx)
		c.Close()
		if err := waiter.Wait(ctx); !errors.Is(err, ErrClosed) {
			t.Errorf("Drain of a connection that is closed meanwhile: %v", err)
		}
		if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, ErrClosed) {
			t.Errorf("Write after that: %d, %v", n, err)
		}
		if err := w.Flush(ctx); !errors.Is(err, ErrClosed) || w.Buffered() != 0 {
			t.Errorf("Flush after that: %v, %d bytes are held", err, w.Buffered())
		}
		peer.Close()
	})
}

func TestWriterEndsWithItsCtx(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := slowPair(t, ctx)
		inner, cancel := context.WithCancel(ctx)
		w := NewWriter(inner, c)
		overfill(t, w)
		cancel()
		if err := w.Flush(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Flush: %v", err)
		}
		c.Close()
		peer.Close()
	})
}

// What goes straight through costs nothing, and a burst is not kept.
func TestWriterStraightThrough(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := pair(t, ctx, "tcp")
		w := NewWriter(ctx, c)
		tasks := len(reactor.AllTasks(ctx))
		p := []byte("hello")
		if n := testing.AllocsPerRun(20, func() { w.Write(p) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		if len(reactor.AllTasks(ctx)) != tasks || w.Buffered() != 0 || w.held != nil {
			t.Error("it held what the kernel could take")
		}
		got := make([]byte, 21*len(p))
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, bytes.Repeat(p, 21)) {
			t.Errorf("%q, %v", got, err)
		}
		w.Limit = 8 << 20
		w.Write(make([]byte, 7<<20))
		reactor.Go(ctx, func(context.Context) error { io.Copy(io.Discard, peer); return nil })
		if err := w.Flush(ctx); err != nil {
			t.Error(err)
		}
		if w.held != nil {
			t.Error("the burst's memory is kept")
		}
		c.Close()
		peer.Close()
	})
}

// A lost write is known: to the Write itself where that is possible, or to the
// Drain or Flush that follows.
func TestWriterKnowsOfALostWrite(t *testing.T) {
	write := func(w *Writer) error { _, err := w.Write([]byte("hello")); return err }
	ways := map[string]struct {
		held bool // the Writer holds something when it happens
		lose func(ctx context.Context, c, peer Conn)
		want error
	}{
		"closed":                 {false, func(_ context.Context, c, _ Conn) { c.Close() }, ErrClosed},
		"closed, some held":      {true, func(_ context.Context, c, _ Conn) { c.Close() }, ErrClosed},
		"deadline":               {false, func(_ context.Context, c, _ Conn) { c.SetWriteDeadline(past()) }, os.ErrDeadlineExceeded},
		"deadline, some held":    {true, func(_ context.Context, c, _ Conn) { c.SetWriteDeadline(past()) }, os.ErrDeadlineExceeded},
		"shut down":              {false, func(_ context.Context, c, _ Conn) { c.(*UnixConn).CloseWrite() }, syscall.EPIPE},
		"shut down, some held":   {true, func(ctx context.Context, c, _ Conn) { c.(*UnixConn).CloseWrite(); parked(ctx) }, syscall.EPIPE},
		"peer closed":            {false, func(_ context.Context, _, peer Conn) { peer.Close() }, syscall.EPIPE},
		"peer closed, some held": {true, func(ctx context.Context, _, peer Conn) { peer.Close(); parked(ctx) }, syscall.EPIPE},
	}
	for name, way := range ways {
		for first, op := range map[string]func(context.Context, *Writer) error{
			"Write": func(_ context.Context, w *Writer) error { return write(w) },
			"Drain": func(ctx context.Context, w *Writer) error { return w.Drain(ctx) },
			"Flush": func(ctx context.Context, w *Writer) error { return w.Flush(ctx) },
		} {
			t.Run(name+"/"+first, func(t *testing.T) {
				run(t, func(ctx context.Context) {
					c, peer := slowPair(t, ctx)
					defer peer.Close()
					defer c.Close()
					w := NewWriter(ctx, c)
					if way.held {
						overfill(t, w)
					}
					way.lose(ctx, c, peer)
					if !way.held && first != "Write" { // nothing is lost before it is written
						write(w)
					}
					for range 3 {
						if err := op(ctx, w); !errors.Is(err, way.want) {
							t.Errorf("%s: %v, want %v", first, err, way.want)
						}
					}
					if n, err := w.Write([]byte("x")); n != 0 || !errors.Is(err, way.want) {
						t.Errorf("Write after that: %d, %v", n, err)
					}
					if w.Buffered() != 0 {
						t.Errorf("it holds %d bytes", w.Buffered())
					}
				})
			})
		}
	}
	t.Run("another's conn", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			c, peer := slowPair(t, ctx)
			defer peer.Close()
			w := NewWriter(ctx, struct{ Conn }{c})
			c.Close()
			for range 3 {
				write(w) // nothing is known yet
			}
			if err := w.Drain(ctx); !errors.Is(err, ErrClosed) {
				t.Errorf("Drain: %v", err)
			}
			if err := write(w); !errors.Is(err, ErrClosed) {
				t.Errorf("Write after that: %v", err)
			}
		})
	})
	t.Run("its ctx is done", func(t *testing.T) {
		run(t, func(ctx context.Context) {
			c, peer := slowPair(t, ctx)
			defer peer.Close()
			defer c.Close()
			inner, cancel := context.WithCancel(ctx)
			w := NewWriter(inner, c)
			cancel()
			var err error
			for p := testkit.Pattern(1 << 10); err == nil && w.Buffered() == 0; {
				_, err = w.Write(p)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the first Write that needs the ctx: %v", err)
			}
		})
	})
}

// A goroutine that is none of the loop's is noticed, whatever it calls, while the loop
// uses the Writer; also once the Writer's ctx is done.
func TestWriterNoticesStrangers(t *testing.T) {
	run(t, func(ctx context.Context) {
		for _, done := range []bool{false, true} {
			c, _ := slowPair(t, ctx)
			err := reactor.Scope(ctx, func(inner context.Context, s *reactor.CancelScope) error {
				w := NewWriter(inner, c)
				if done {
					s.Cancel(nil)
				}
				var over atomic.Bool
				go func() {
					defer over.Store(true)
					for name, f := range map[string]func(){
						"Write":    func() { w.Write([]byte("x")) },
						"Buffered": func() { w.Buffered() },
						"Drain":    func() { w.Drain(inner) },
						"Flush":    func() { w.Flush(inner) },
					} {
						func() {
							defer func() {
								if text := fmt.Sprint(recover()); !strings.Contains(text, "from a goroutine that is not the running task") {
									t.Errorf("%s panicked with %q", name, text)
								}
							}()
							f()
						}()
					}
				}()
				for !over.Load() {
					w.Write([]byte("y"))
					reactor.Yield(ctx)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
}
