package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// catting starts a "cat" and returns it with the pipes to and from it.
func catting(t testing.TB, ctx context.Context) (*Cmd, io.WriteCloser, io.ReadCloser) {
	t.Helper()
	c := child("cat")
	in, err := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err, err2, c.Start(ctx)); err != nil {
		t.Fatal(err)
	}
	return c, in, out
}

func TestDialogue(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, in, out := catting(t, ctx)
		buf := make([]byte, 100)
		for i := range 100 {
			msg := fmt.Sprint("message ", i)
			if _, err := io.WriteString(in, msg); err != nil {
				t.Fatal(err)
			}
			if n, err := out.Read(buf); string(buf[:n]) != msg || err != nil {
				t.Fatalf("read %q, %v", buf[:n], err)
			}
		}
		fds := len(testkit.Holdings().FDs)
		in.Close()
		for range 2 {
			if n, err := out.Read(buf); n != 0 || err != io.EOF {
				t.Errorf("at the end: %d, %v", n, err)
			}
		}
		if n := len(testkit.Holdings().FDs); n > 0 && n != fds-2 {
			t.Errorf("%d fds, were %d before the ends of both pipes", n, fds)
		}
		if err := errors.Join(in.Close(), out.Close(), c.Wait(ctx)); err != nil {
			t.Error(err)
		}
	})
}

// Any goroutine may use the pipes, but none after the loop has ended.
func TestPipesElsewhere(t *testing.T) {
	var in io.WriteCloser
	var out io.ReadCloser
	late := make(chan error, 1)
	run(t, func(ctx context.Context) {
		c := child("cat")
		in, _ = c.StdinPipe()
		out, _ = c.StdoutPipe()
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		const n = 1 << 20
		writing := reactor.Async(ctx, func(ctx context.Context) (int, error) {
			return reactor.ToThread(ctx, func(context.Context) (int, error) {
				n, err := in.Write(testkit.Pattern(n))
				return n, errors.Join(err, in.Close(), in.Close())
			})
		})
		got, err := reactor.ToThread(ctx, func(context.Context) ([]byte, error) { return io.ReadAll(out) })
		if err := errors.Join(err, testkit.Same(got, testkit.Pattern(n)), c.Wait(ctx)); err != nil {
			t.Error(err)
		}
		if m, err := writing.Await(ctx); m != n || err != nil {
			t.Errorf("wrote %d, %v", m, err)
		}

		c, in, out = catting(t, ctx)
		go io.WriteString(in, "x")
		var copied atomic.Int64
		copying := reactor.Go(ctx, func(ctx context.Context) error {
			_, err := reactor.ToThread(ctx, func(context.Context) (int64, error) {
				return io.Copy(incomparable{func(p []byte) { copied.Add(int64(len(p))) }}, out)
			})
			return err
		})
		waitFor(ctx, func() bool { return copied.Load() > 0 })
		c.Process.Kill()
		if err := copying.Wait(ctx); err != nil {
			t.Error(err)
		}
		in.Close()
		c.Wait(ctx)

		_, in, out = catting(t, ctx)
		go func() { // waits when the loop ends
			_, err := io.ReadAll(out)
			late <- err
		}()
		reactor.Sleep(ctx, 5*time.Millisecond)
	})
	after := os.ErrClosed
	switch err := <-late; {
	case err == nil: // the program's end was seen first
		after = io.EOF
	case !errors.Is(err, os.ErrClosed):
		t.Errorf("a Read at the loop's end: %v", err)
	}
	if _, err := in.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a Write after the loop's end: %v", err)
	}
	if _, err := out.Read(make([]byte, 1)); !errors.Is(err, after) {
		t.Errorf("a Read after the loop's end: %v", err)
	}
	if err := errors.Join(in.Close(), out.Close()); err != nil {
		t.Errorf("a Close after the loop's end: %v", err)
	}
}

func TestPipeErrors(t *testing.T) {
	run(t, func(ctx context.Context) {
		c := child("cat")
		in, _ := c.StdinPipe()
		out, _ := c.StdoutPipe()
		buf := make([]byte, 10)
		for _, op := range []func() error{
			func() error { _, err := in.Write(buf); return err },
			func() error { _, err := out.Read(buf); return err },
			func() error { _, err := io.Copy(io.Discard, out); return err },
			in.Close, out.Close,
		} {
			if err := op(); !errors.Is(err, errNotStarted) {
				t.Errorf("before Start: %v", err)
			}
		}
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}

		// The task's scope bounds operations without a ctx.
		for _, op := range []func() error{
			func() error { _, err := out.Read(buf); return err },
			func() error { _, err := io.Copy(io.Discard, out); return err },
			func() error { _, err := in.Write(make([]byte, 10<<20)); return err },
		} {
			err := reactor.Timeout(ctx, 20*time.Millisecond, func(context.Context) error { return op() })
			var path *fs.PathError
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &path) {
				t.Errorf("in a scope that ends: %v", err)
			}
		}

		// Close wakes waiters: one waits to write, because cat's output is not
		// read, the others to read, because cat has no output.
		c2, in2, out2 := catting(t, ctx)
		closed := []*reactor.Task[struct{}]{
			reactor.Go(ctx, func(context.Context) error { _, err := in.Write(make([]byte, 10<<20)); return err }),
			reactor.Go(ctx, func(context.Context) error { _, err := io.Copy(io.Discard, out2); return err }),
			reactor.Go(ctx, func(context.Context) error { _, err := out2.Read(buf); return err }),
		}
		reactor.Sleep(ctx, 10*time.Millisecond)
		for _, p := range []io.Closer{in, out, in2, out2} {
			p.Close()
		}
		for i, task := range closed {
			if err := task.Wait(ctx); !errors.Is(err, os.ErrClosed) {
				t.Errorf("%d: a Close while one waits: %v", i, err)
			}
		}
		for _, c := range []*Cmd{c, c2} {
			c.Process.Kill()
			c.Wait(ctx)
		}

		// The reader is gone.
		c, in, out = catting(t, ctx)
		writing := reactor.Go(ctx, func(context.Context) error { _, err := in.Write(make([]byte, 10<<20)); return err })
		reactor.Yield(ctx)
		c.Process.Kill()
		if err := writing.Wait(ctx); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a Write to nobody: %v", err)
		}
		c.Wait(ctx)
	})
}

// Writes of several tasks are not interleaved.
func TestWritersInTurn(t *testing.T) {
	runWith(t, reactor.Options{Sockets: &grudging{}}, func(ctx context.Context) {
		c, in, out := catting(t, ctx)
		const n, writers = 200 << 10, 3
		for i := range writers {
			reactor.Go(ctx, func(context.Context) error {
				p := make([]byte, n)
				for j := range p {
					p[j] = byte('a' + i)
				}
				_, err := in.Write(p)
				return err
			})
		}
		reactor.Yield(ctx)
		got := make([]byte, writers*n)
		if _, err := io.ReadFull(out, got); err != nil {
			t.Fatal(err)
		}
		for i, b := range got {
			if b != byte('a'+i/n) {
				t.Fatalf("byte %d is %q", i, b)
			}
		}
		in.Close()
		if err := c.Wait(ctx); err != nil {
			t.Error(err)
		}
		out.Close()
	})
}

// grudging makes the kernel's calls with EINTR before each, and moves only a
// few bytes at a time.
type grudging struct {
	sockets.System
	calls int
}

func (g *grudging) Read(fd int, p []byte) (int, syscall.Errno) {
	if g.calls++; g.calls%2 == 0 {
		return 0, syscall.EINTR
	}
	return g.System.Read(fd, p[:min(len(p), 1000)])
}

func (g *grudging) Write(fd int, p []byte) (int, syscall.Errno) {
	if g.calls++; g.calls%2 == 0 {
		return 0, syscall.EINTR
	}
	return g.System.Write(fd, p[:min(len(p), 777)])
}

func TestShortTransfers(t *testing.T) {
	g := &grudging{}
	runWith(t, reactor.Options{Sockets: g}, func(ctx context.Context) {
		out, _, err := child("cat").Communicate(ctx, testkit.Pattern(100_000))
		if err := errors.Join(err, testkit.Same(out, testkit.Pattern(100_000))); err != nil {
			t.Error(err)
		}
	})
	if g.calls < 200 {
		t.Errorf("only %d calls went through the loop's Sockets", g.calls)
	}
}

// Waiting makes no system calls.
func TestWaitingIsIdle(t *testing.T) {
	g := &grudging{}
	runWith(t, reactor.Options{Sockets: g}, func(ctx context.Context) {
		c, in, out := catting(t, ctx)
		io.WriteString(in, "x")
		out.Read(make([]byte, 1))
		reading := reactor.Go(ctx, func(context.Context) error { _, err := out.Read(make([]byte, 1)); return err })
		reactor.Sleep(ctx, 20*time.Millisecond)
		before := g.calls
		reactor.Sleep(ctx, 20*time.Millisecond)
		if before > 20 || g.calls != before {
			t.Errorf("a Read that waits: %d calls, then %d more", before, g.calls-before)
		}
		io.WriteString(in, "x")
		reading.Wait(ctx)
		writing := reactor.Go(ctx, func(context.Context) error { _, err := in.Write(make([]byte, 10<<20)); return err })
		last := -1
		waitFor(ctx, func() bool { // until the pipes are full: no Write for a while
			reactor.Sleep(ctx, 20*time.Millisecond)
			quiet := g.calls == last
			last = g.calls
			return quiet || last > 100_000
		})
		if last > 100_000 {
			t.Error("a Write that waits goes on asking")
		}
		c.Process.Kill()
		writing.Wait(ctx)
		c.Wait(ctx)
		in.Close()
		out.Close()
	})
}

// A goroutine reads and writes the pipes while a task waits for it on a
// channel, which blocks the loop.
func TestPipesWhileTheLoopStands(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, in, out := catting(t, ctx)
		done := make(chan error, 1)
		go func() {
			_, err := io.WriteString(in, "hello")
			p := make([]byte, 5)
			if err == nil {
				_, err = io.ReadFull(out, p)
			}
			if err == nil && string(p) != "hello" {
				err = errors.New("read " + string(p))
			}
			done <- errors.Join(err, in.Close())
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("the goroutine waits for the loop")
		}
		if err := c.Wait(ctx); err != nil {
			t.Error(err)
		}
		out.Close()
	})
}
