package net

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"syscall"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// pieces cuts p into pieces of these sizes, over and over.
func pieces(p []byte, sizes ...int) (bufs Buffers) {
	for i := 0; len(p) > 0; i++ {
		n := min(sizes[i%len(sizes)], len(p))
		bufs = append(bufs, p[:n:n])
		p = p[n:]
	}
	return bufs
}

// vectored counts calls of WriteBuffers and Write.
type vectored struct {
	sockets.System
	calls, writes int
}

func (k *vectored) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	k.calls++
	return k.System.WriteBuffers(fd, bufs)
}

func (k *vectored) Write(fd int, p []byte) (int, syscall.Errno) {
	k.writes++
	return k.System.Write(fd, p)
}

// TestBuffers writes so much that it is taken in parts, by a task and by another
// goroutine, and in one call if it is little.
func TestBuffers(t *testing.T) {
	k := &vectored{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		a, b := pair(t, ctx, "tcp")
		defer a.Close()
		defer b.Close()
		small := pieces(testkit.Pattern(100), 30, 0, 1)
		if n, err := small.WriteTo(a); n != 100 || err != nil || k.calls != 1 || k.writes != 0 || len(small) != 0 {
			t.Errorf("wrote %d in %d calls and %d writes, %v; %d left", n, k.calls, k.writes, err, len(small))
		}
		io.ReadFull(b, make([]byte, 100))

		msg := testkit.Pattern(10 << 20)
		for _, write := range []func(v Buffers) (int64, error){
			func(v Buffers) (int64, error) { return v.WriteTo(a) },
			func(v Buffers) (int64, error) {
				return reactor.ToThread(ctx, func(context.Context) (int64, error) { return v.WriteTo(a) })
			},
		} {
			got := make([]byte, len(msg))
			reading := reactor.Go(ctx, func(context.Context) error { _, err := io.ReadFull(b, got); return err })
			n, err := write(pieces(msg, 10, 100_000, 0, 3, 1<<20))
			if n != int64(len(msg)) || err != nil {
				t.Error(n, err)
			}
			if err := errors.Join(reading.Wait(ctx), testkit.Same(got, msg)); err != nil {
				t.Error(err)
			}
		}
		if k.writes != 0 {
			t.Errorf("%d single writes", k.writes)
		}
	})
}

// TestBuffersPartial: after an error Buffers holds exactly what was not written.
func TestBuffersPartial(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		msg := testkit.Pattern(32 << 20)
		v := pieces(msg, 1000, 77_777)
		c.SetWriteDeadline(soon())
		n, err := v.WriteTo(c)
		if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
			t.Fatal(n, err)
		}
		var op *OpError
		if !errors.As(err, &op) || op.Op != "writev" {
			t.Error(err)
		}
		c.Close()
		outside(t, ctx, func() error {
			got, err := io.ReadAll(peer)
			rest := bytes.Join(v, nil)
			return errors.Join(err, testkit.Same(got, msg[:n]), testkit.Same(rest, msg[n:]))
		})
		if _, err := v.WriteTo(c); !errors.Is(err, ErrClosed) {
			t.Error("to a closed connection:", err)
		}
	})
}

func TestBuffersUnderFaults(t *testing.T) {
	msg := testkit.Pattern(20_000)
	counts := map[string]int{}
	for seed := range uint64(20) {
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			a, b := pair(t, ctx, "tcp")
			defer a.Close()
			defer b.Close()
			writing := reactor.Go(ctx, func(context.Context) error {
				v := pieces(msg, 0, 1, 300, 7)
				_, err := v.WriteTo(a)
				return errors.Join(err, a.(half).CloseWrite())
			})
			got, err := io.ReadAll(b)
			if err := errors.Join(err, writing.Wait(ctx), testkit.Same(got, msg)); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			for kind, n := range k.Counts {
				counts[kind] += n
			}
		})
	}
	for _, kind := range []string{"writev EINTR", "writev EAGAIN", "half a writev"} {
		if counts[kind] == 0 {
			t.Errorf("never a %s", kind)
		}
	}
}

// anyBuffers is what both nets' Buffers can do.
type anyBuffers interface {
	io.WriterTo
	io.Reader
}

// short is a writer that takes so much at a time, and in all.
type short struct {
	bytes.Buffer
	room int
}

func (w *short) Write(p []byte) (int, error) {
	n := min(len(p), w.room)
	w.room -= n
	w.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("full")
	}
	return n, nil
}

func TestBuffersAsStd(t *testing.T) {
	worlds := map[string]func([][]byte) (anyBuffers, func() [][]byte){
		"std": func(b [][]byte) (anyBuffers, func() [][]byte) {
			v := stdnet.Buffers(b)
			return &v, func() [][]byte { return v }
		},
		"eddy": func(b [][]byte) (anyBuffers, func() [][]byte) {
			v := Buffers(b)
			return &v, func() [][]byte { return v }
		},
	}
	outcome := map[string]string{}
	for name, make := range worlds {
		var log bytes.Buffer
		for _, in := range [][]string{{}, {""}, {"abc"}, {"", "ab", "", "cdef", ""}, {"a", "b", "c"}} {
			for _, room := range []int{0, 1, 2, 3, 100} {
				fresh := func() (anyBuffers, func() [][]byte) {
					var b [][]byte
					for _, s := range in {
						b = append(b, []byte(s))
					}
					return make(b)
				}
				v, left := fresh()
				w := &short{room: room}
				n, err := v.WriteTo(w)
				fmt.Fprintf(&log, "write %q, room %d: %d %v %q, left %q\n", in, room, n, err, w.String(), left())
				v, left = fresh()
				p := [100]byte{}
				m, err := v.Read(p[:room])
				fmt.Fprintf(&log, "read %q, room %d: %d %v %q, left %q\n", in, room, m, err, p[:m], left())
			}
		}
		outcome[name] = log.String()
	}
	if outcome["std"] != outcome["eddy"] {
		t.Errorf("std:\n%s\neddy:\n%s", outcome["std"], outcome["eddy"])
	}
}

// TestBuffersNotInterleaved: another task's write comes before or after them, also
// if they have to wait again and again.
func TestBuffersNotInterleaved(t *testing.T) {
	waits := 0
	choose := func(n int) int {
		if n != 5 { // WriteBuffers' number
			return 0
		}
		waits++
		return 2 + waits%2 // half of it, and then to wait
	}
	underFaults(t, choose, func(ctx context.Context, k *faulty.Sockets) {
		c, peer := withStd(t, ctx, "tcp")
		v := pieces(bytes.Repeat([]byte("a"), 10_000), 100)
		first := reactor.Go(ctx, func(context.Context) error { _, err := v.WriteTo(c); return err })
		parked(ctx)
		second := reactor.Go(ctx, func(context.Context) error { _, err := c.Write([]byte("b")); return err })
		if err := errors.Join(first.Wait(ctx), second.Wait(ctx)); err != nil {
			t.Error(err)
		}
		outside(t, ctx, func() error {
			got := make([]byte, 10_001)
			_, err := io.ReadFull(peer, got)
			if at := bytes.IndexByte(got, 'b'); at != 10_000 {
				t.Errorf("the other write is at %d", at)
			}
			return err
		})
	})
}
