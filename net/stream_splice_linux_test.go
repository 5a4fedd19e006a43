package net

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
)

// splicer is counted, of splice(2) too.
type splicer struct {
	counted
	splices, pipes int
	noSplice       syscall.Errno
}

func (k *splicer) Splice(to, from, n int) (int, syscall.Errno) {
	k.splices++
	if k.noSplice != 0 {
		return 0, k.noSplice
	}
	return k.System.Splice(to, from, n)
}

func (k *splicer) Pipe() (int, int, error) {
	k.pipes++
	return k.System.Pipe()
}

// TestSplice: much data is spliced, by few pipes, of which none is left.
func TestSplice(t *testing.T) {
	msg := testkit.Pattern(10 << 20)
	for _, networks := range relayed[:3] {
		k := &splicer{}
		runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
			got := relay(t, ctx, networks, msg, func(_ context.Context, dst, src Conn) error { _, err := io.Copy(dst, src); return err })
			if err := testkit.Same(got, msg); err != nil {
				t.Error(networks, err)
			}
		})
		if k.splices == 0 || k.pipes != 1 {
			t.Errorf("%v: %d splices, %d pipes, %d reads", networks, k.splices, k.pipes, k.reads)
		}
	}
}

// TestSmallIsNotSpliced: two system calls for a few bytes are dearer than a copy.
func TestSmallIsNotSpliced(t *testing.T) {
	k := &splicer{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		got := relay(t, ctx, [2]string{"tcp", "tcp"}, testkit.Pattern(5000), func(_ context.Context, dst, src Conn) error { _, err := io.Copy(dst, src); return err })
		if err := testkit.Same(got, testkit.Pattern(5000)); err != nil {
			t.Error(err)
		}
	})
	if k.splices != 0 || k.pipes != 0 {
		t.Errorf("%d splices, %d pipes", k.splices, k.pipes)
	}
}

func TestSpliceUnderFaults(t *testing.T) {
	msg := testkit.Pattern(2 << 20)
	counts := map[string]int{}
	for seed := range uint64(20) {
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			got := relay(t, ctx, relayed[seed%3], msg, func(_ context.Context, dst, src Conn) error {
				n, err := io.Copy(dst, src)
				if n != int64(len(msg)) {
					t.Errorf("seed %d: copied %d", seed, n)
				}
				return err
			})
			if err := testkit.Same(got, msg); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			for kind, n := range k.Counts {
				counts[kind] += n
			}
		})
	}
	for _, kind := range []string{"splice EINTR", "splice EAGAIN", "half a splice", "splice EINVAL"} {
		if counts[kind] == 0 {
			t.Errorf("never a %s", kind)
		}
	}
}

// TestSpliceFails: whatever ends a copy, with data in the pipe, nothing is left.
func TestSpliceFails(t *testing.T) {
	for name, end := range map[string]func(src, dst Conn) error{
		"the destination is closed":            func(_, dst Conn) error { return dst.Close() },
		"the source is closed":                 func(src, _ Conn) error { return src.Close() },
		"the destination's deadline":           func(_, dst Conn) error { return dst.SetWriteDeadline(past()) },
		"the source's deadline":                func(src, _ Conn) error { return src.SetReadDeadline(past()) },
		"the destination's end of the writing": func(_, dst Conn) error { return dst.(half).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			k := &splicer{}
			runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
				src, client := withStd(t, ctx, "tcp")
				dst, _ := withStd(t, ctx, "tcp") // whose peer reads nothing
				go client.Write(make([]byte, 64<<20))
				copying := reactor.Async(ctx, func(context.Context) (int64, error) { return io.Copy(dst, src) })
				for before := int64(-1); ; { // until all is full
					if now := int64(k.splices + k.reads); now == before && k.splices > 0 {
						break
					} else {
						before = now
					}
					reactor.Sleep(ctx, 10*time.Millisecond)
				}
				if err := end(src, dst); err != nil {
					t.Error(err)
				}
				if name == "the source is closed" || name == "the source's deadline" {
					dst.Close() // for it waits to write
				}
				n, err := copying.Await(ctx)
				if err == nil || n == 0 {
					t.Error(n, err)
				}
				client.Close()
			})
		})
	}
}

// noPipes is a kernel that is out of descriptors for pipes.
type noPipes struct{ splicer }

func (*noPipes) Pipe() (int, int, error) { return -1, -1, syscall.EMFILE }

func TestNoPipes(t *testing.T) {
	msg := testkit.Pattern(5 << 20)
	k := &noPipes{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		got := relay(t, ctx, [2]string{"tcp", "tcp"}, msg, func(_ context.Context, dst, src Conn) error { _, err := io.Copy(dst, src); return err })
		if err := testkit.Same(got, msg); err != nil || k.splices != 0 {
			t.Error(err, k.splices)
		}
	})
}

// TestCannotSplice: it is tried once.
func TestCannotSplice(t *testing.T) {
	msg := testkit.Pattern(5 << 20)
	k := &splicer{noSplice: syscall.EINVAL}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		got := relay(t, ctx, [2]string{"tcp", "tcp"}, msg, func(_ context.Context, dst, src Conn) error { _, err := io.Copy(dst, src); return err })
		if err := testkit.Same(got, msg); err != nil || k.splices != 1 {
			t.Error(err, k.splices)
		}
	})
}

// TestEchoItself: a copy of a connection to itself.
func TestEchoItself(t *testing.T) {
	msg := testkit.Pattern(8 << 20)
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		echoing := reactor.Go(ctx, func(context.Context) error {
			_, err := io.Copy(c, c)
			return errors.Join(err, c.(half).CloseWrite())
		})
		outside(t, ctx, func() error {
			go func() {
				io.Copy(peer, bytes.NewReader(msg))
				peer.(half).CloseWrite()
			}()
			got, err := io.ReadAll(peer)
			return errors.Join(err, testkit.Same(got, msg))
		})
		if err := echoing.Wait(ctx); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkRelay moves 1 MiB an operation through a proxy.
func BenchmarkRelay(b *testing.B) {
	for name, copy := range map[string]func(dst, src Conn) (int64, error){
		"splice": func(dst, src Conn) (int64, error) { return io.Copy(dst, src) },
		"copy":   func(dst, src Conn) (int64, error) { return io.Copy(struct{ io.Writer }{dst}, src) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(1 << 20)
			run(b, func(ctx context.Context) {
				src, client := withStd(b, ctx, "tcp")
				dst, server := withStd(b, ctx, "tcp")
				copying := reactor.Go(ctx, func(context.Context) error { _, err := copy(dst, src); return err })
				outside(b, ctx, func() error {
					go func() {
						p := make([]byte, 1<<20)
						for range b.N {
							client.Write(p)
						}
						client.Close()
					}()
					_, err := io.CopyN(io.Discard, struct{ io.Reader }{server}, int64(b.N)<<20)
					return err
				})
				copying.Wait(ctx)
				src.Close()
				dst.Close()
			})
		})
	}
}

// BenchmarkSendFile sends 10 MiB of a file an operation.
func BenchmarkSendFile(b *testing.B) {
	for name, send := range map[string]func(c Conn, f *os.File) (int64, error){
		"sendfile": func(c Conn, f *os.File) (int64, error) { return io.Copy(c, f) },
		"copy":     func(c Conn, f *os.File) (int64, error) { return io.Copy(struct{ io.Writer }{c}, f) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(10 << 20)
			f := tempFile(b, make([]byte, 10<<20))
			run(b, func(ctx context.Context) {
				c, server := withStd(b, ctx, "tcp")
				reading := make(chan error)
				go func() {
					_, err := io.CopyN(io.Discard, struct{ io.Reader }{server}, int64(b.N)*(10<<20))
					reading <- err
				}()
				for range b.N {
					f.Seek(0, io.SeekStart)
					if _, err := send(c, f); err != nil {
						b.Fatal(err)
					}
				}
				outside(b, ctx, func() error { return <-reading })
				c.Close()
			})
		})
	}
}
