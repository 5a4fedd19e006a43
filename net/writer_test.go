package net

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

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
	for p := pattern(1 << 10); w.Buffered() == 0; sent += len(p) {
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
				want := pattern(600 << 10)
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
				if err := same(got, want); err != nil {
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
