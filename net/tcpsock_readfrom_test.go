package net

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/internal/testkit/faulty"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// tempFile is a file with these contents, open for reading.
func tempFile(t testing.TB, content []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// shouting is a file that is not what its descriptor says.
type shouting struct{ *os.File }

func (f shouting) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	copy(p[:n], bytes.ToUpper(p[:n]))
	return n, err
}

// dribble reads little, and its last bytes together with the end.
type dribble struct{ left []byte }

func (r *dribble) Read(p []byte) (int, error) {
	n := copy(p[:min(3, len(p))], r.left)
	if r.left = r.left[n:]; len(r.left) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// failingReader fails after some bytes.
type failingReader struct{ left string }

func (r *failingReader) Read(p []byte) (int, error) {
	if r.left == "" {
		return 0, syscall.EIO
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

var readFroms = []struct {
	name string
	do   func(w *world, c io.ReaderFrom, f *os.File)
}{
	{"a file", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", err, n)
	}},
	{"a file by io.Copy", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := io.Copy(c.(io.Writer), f)
		w.note("Copy", err, n)
	}},
	{"a file from within", func(w *world, c io.ReaderFrom, f *os.File) {
		f.Seek(777_777, io.SeekStart)
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", err, n)
	}},
	{"part of a file", func(w *world, c io.ReaderFrom, f *os.File) {
		f.Seek(5, io.SeekStart)
		l := &io.LimitedReader{R: f, N: 1_000_003}
		n, err := c.ReadFrom(l)
		w.note("ReadFrom", err, n, l.N)
	}},
	{"more than a file", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := io.CopyN(c.(io.Writer), f, 100<<20)
		w.note("CopyN", err, n)
	}},
	{"nothing of a file", func(w *world, c io.ReaderFrom, f *os.File) {
		for _, limit := range []int64{0, -1} {
			l := &io.LimitedReader{R: f, N: limit}
			n, err := c.ReadFrom(l)
			w.note("ReadFrom", err, n, l.N)
		}
	}},
	{"the end of a file", func(w *world, c io.ReaderFrom, f *os.File) {
		f.Seek(0, io.SeekEnd)
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", err, n)
	}},
	{"a file twice", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := io.CopyN(c.(io.Writer), f, 100)
		w.note("CopyN", err, n)
		n, err = c.ReadFrom(f)
		w.note("ReadFrom", err, n)
	}},
	{"a closed file", func(w *world, c io.ReaderFrom, f *os.File) {
		f.Close()
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", nil, n, errors.Is(err, os.ErrClosed))
	}},
	{"a directory", func(w *world, c io.ReaderFrom, f *os.File) {
		d, err := os.Open(filepath.Dir(f.Name()))
		w.must(err)
		defer d.Close()
		n, err := c.ReadFrom(d)
		w.note("ReadFrom", nil, n, errors.Is(err, syscall.EISDIR))
	}},
	{"what can only be read", func(w *world, c io.ReaderFrom, f *os.File) {
		proc, err := os.Open("/proc/version")
		if err != nil {
			return
		}
		defer proc.Close()
		n, err := c.ReadFrom(proc)
		w.note("ReadFrom", err, n > 0)
	}},
	{"a pipe", func(w *world, c io.ReaderFrom, f *os.File) {
		r, wr, err := os.Pipe()
		w.must(err)
		wr.Write([]byte("hello"))
		wr.Close()
		n, err := c.ReadFrom(r)
		w.note("ReadFrom", err, n)
		r.Close()
	}},
	{"a reader of no kind", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := c.ReadFrom(&dribble{testkit.Pattern(1000)})
		w.note("ReadFrom", err, n)
		n, err = c.ReadFrom(bytes.NewReader(testkit.Pattern(1 << 20)))
		w.note("ReadFrom", err, n)
		l := &io.LimitedReader{R: strings.NewReader("hello, world"), N: 5}
		n, err = c.ReadFrom(l)
		w.note("ReadFrom", err, n, l.N)
		n, err = c.ReadFrom(strings.NewReader(""))
		w.note("ReadFrom", err, n)
	}},
	{"a reader that fails", func(w *world, c io.ReaderFrom, f *os.File) {
		n, err := c.ReadFrom(&failingReader{"hello"})
		w.note("ReadFrom", err, n)
	}},
	{"a deadline", func(w *world, c io.ReaderFrom, f *os.File) {
		c.(Conn).SetWriteDeadline(past())
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", err, n)
		n, err = c.ReadFrom(strings.NewReader("hello"))
		w.note("ReadFrom", err, n)
		f.Seek(0, io.SeekStart) // std has read some of it
	}},
	{"a closed connection", func(w *world, c io.ReaderFrom, f *os.File) {
		c.(io.Closer).Close()
		n, err := c.ReadFrom(f)
		w.note("ReadFrom", err, n)
		n, err = c.ReadFrom(strings.NewReader("hello"))
		w.note("ReadFrom", err, n)
		f.Seek(0, io.SeekStart)
	}},
}

// TestReadFromAsStd sends what there is to a std connection, and compares what
// arrives.
func TestReadFromAsStd(t *testing.T) {
	content := testkit.Pattern(3 << 20)
	for _, test := range readFroms {
		t.Run(test.name, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				f := tempFile(t, content)
				c, peer := w.connected("tcp", true)
				arrived := make(chan []byte)
				go func() {
					all, _ := io.ReadAll(peer)
					arrived <- all
				}()
				test.do(w, c.(io.ReaderFrom), f)
				c.Close()
				all := <-arrived
				w.note("arrived", nil, len(all), crc32.ChecksumIEEE(all))
				at, err := f.Seek(0, io.SeekCurrent)
				w.note("the file is at", nil, at, err == nil)
				peer.Close()
			})
		})
	}
}

// TestWrappedFile: who gives another meaning to a file's bytes is asked for them.
// (std's net sends those of the file.)
func TestWrappedFile(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		n, err := c.(*TCPConn).ReadFrom(shouting{tempFile(t, []byte("hello"))})
		p := make([]byte, 8)
		m, _ := peer.Read(p)
		if n != 5 || err != nil || string(p[:m]) != "HELLO" {
			t.Errorf("%d, %v, %q", n, err, p[:m])
		}
	})
}

// counted counts calls for much data, and can't do some of them.
type counted struct {
	sockets.System
	sendfiles, reads int
	noSendFile       syscall.Errno
	nothing          bool // is sent, as of some files that can only be read
	pretend          bool // to have sent what was not
}

func (k *counted) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	k.sendfiles++
	if k.noSendFile != 0 && k.sendfiles > 2 {
		return 0, k.noSendFile
	}
	if k.pretend {
		return n, 0
	}
	if k.nothing {
		return 0, 0
	}
	return k.System.SendFile(fd, file, offset, n)
}

func (k *counted) Read(fd int, p []byte) (int, syscall.Errno) {
	k.reads++
	return k.System.Read(fd, p)
}

// TestSendFile: files go by sendfile, and what it can't go on with is copied from
// there.
func TestSendFile(t *testing.T) {
	content := testkit.Pattern(10 << 20)
	for _, errno := range []syscall.Errno{0, syscall.EINVAL, syscall.ENOSYS} {
		k := &counted{noSendFile: errno}
		runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
			a, b := pair(t, ctx, "tcp")
			got := make([]byte, len(content))
			reading := reactor.Go(ctx, func(context.Context) error { _, err := io.ReadFull(b, got); return err })
			n, err := a.(*TCPConn).ReadFrom(tempFile(t, content))
			if n != int64(len(content)) || err != nil {
				t.Error(n, err)
			}
			if err := errors.Join(reading.Wait(ctx), testkit.Same(got, content)); err != nil {
				t.Error(errno, err)
			}
			if k.sendfiles < 3 || errno == 0 && k.sendfiles < len(content)>>17 {
				t.Errorf("%d calls of sendfile", k.sendfiles)
			}
		})
	}
}

// TestSendFileOfNothing: an end where a file begins is not believed.
func TestSendFileOfNothing(t *testing.T) {
	k := &counted{nothing: true}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		n, err := c.(*TCPConn).ReadFrom(tempFile(t, []byte("hello")))
		p := make([]byte, 8)
		m, _ := peer.Read(p)
		if n != 5 || err != nil || string(p[:m]) != "hello" || k.sendfiles != 1 {
			t.Errorf("%d, %v, %q after %d calls", n, err, p[:m], k.sendfiles)
		}
	})
}

// TestLimitIsSpent: of a limited connection too, by what was read.
func TestLimitIsSpent(t *testing.T) {
	run(t, func(ctx context.Context) {
		src, client := withStd(t, ctx, "tcp")
		dst, server := withStd(t, ctx, "tcp")
		client.Write([]byte("hello, world"))
		l := &io.LimitedReader{R: src, N: 5}
		n, err := dst.(*TCPConn).ReadFrom(l)
		p := make([]byte, 20)
		m, _ := server.Read(p)
		if n != 5 || l.N != 0 || err != nil || string(p[:m]) != "hello" {
			t.Errorf("%d, %d left, %v, %q", n, l.N, err, p[:m])
		}
		client.Close()
		l.N = 100
		n, err = dst.(*TCPConn).ReadFrom(l)
		if n != 7 || l.N != 93 || err != nil {
			t.Errorf("%d, %d left, %v", n, l.N, err)
		}
	})
}

func TestSendFileUnderFaults(t *testing.T) {
	content := testkit.Pattern(1 << 20)
	counts := map[string]int{}
	for seed := range uint64(20) {
		underFaults(t, faulty.Seeded(seed), func(ctx context.Context, k *faulty.Sockets) {
			a, b := pair(t, ctx, "tcp")
			sending := reactor.Go(ctx, func(context.Context) error {
				f := tempFile(t, content)
				f.Seek(1000, io.SeekStart)
				l := &io.LimitedReader{R: f, N: int64(len(content) - 2000)}
				n, err := io.Copy(a, l)
				if n != int64(len(content)-2000) || l.N != 0 {
					t.Errorf("seed %d: sent %d, %d of the limit are left", seed, n, l.N)
				}
				return errors.Join(err, a.(half).CloseWrite())
			})
			got, err := io.ReadAll(b)
			if err := errors.Join(err, sending.Wait(ctx), testkit.Same(got, content[1000:len(content)-1000])); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			for kind, n := range k.Counts {
				counts[kind] += n
			}
		})
	}
	for _, kind := range []string{"sendfile EINTR", "sendfile EAGAIN", "half a sendfile", "sendfile EINVAL"} {
		if counts[kind] == 0 {
			t.Errorf("never a %s", kind)
		}
	}
}

// TestSendFileLetsOthersRun: even if the socket takes all there is.
func TestSendFileLetsOthersRun(t *testing.T) {
	runWith(t, reactor.Options{Sockets: &counted{pretend: true}}, func(ctx context.Context) {
		f, err := os.Create(filepath.Join(t.TempDir(), "large"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		const size = 256 << 20
		if err := f.Truncate(size); err != nil {
			t.Skip(err)
		}
		c, _ := withStd(t, ctx, "tcp")
		done, turns := false, 0
		others := reactor.Go(ctx, func(ctx context.Context) error {
			for ; !done; turns++ {
				reactor.Yield(ctx)
			}
			return nil
		})
		n, err := c.(*TCPConn).ReadFrom(io.LimitReader(f, size))
		done = true
		others.Wait(ctx)
		if n != size || err != nil || turns < size>>20 {
			t.Errorf("sent %d, %v; others ran %d times, want one for each MiB at least", n, err, turns)
		}
	})
}

// relay sends msg from a std connection by way of two of the loop's to another,
// and returns what arrives there. copy is called in a task.
func relay(t testing.TB, ctx context.Context, networks [2]string, msg []byte, copy func(ctx context.Context, dst, src Conn) error) []byte {
	t.Helper()
	src, client := withStd(t, ctx, networks[0])
	dst, server := withStd(t, ctx, networks[1])
	copying := reactor.Go(ctx, func(ctx context.Context) error {
		err := copy(ctx, dst, src)
		dst.Close()
		return err
	})
	got, err := reactor.ToThread(ctx, func(context.Context) ([]byte, error) {
		go func() {
			client.Write(msg)
			client.(half).CloseWrite()
		}()
		return io.ReadAll(server)
	})
	if err := errors.Join(err, copying.Wait(ctx)); err != nil {
		t.Error(err)
	}
	src.Close()
	return got
}

var relayed = [][2]string{{"tcp", "tcp"}, {"tcp", "unix"}, {"unix", "tcp"}, {"unix", "unix"}}

func TestRelay(t *testing.T) {
	msg := testkit.Pattern(10 << 20)
	for _, networks := range relayed {
		for name, copy := range map[string]func(ctx context.Context, dst, src Conn) error{
			"io.Copy": func(_ context.Context, dst, src Conn) error {
				n, err := io.Copy(dst, src)
				if n != int64(len(msg)) {
					t.Errorf("copied %d", n)
				}
				return err
			},
			"in parts": func(_ context.Context, dst, src Conn) error {
				for n := int64(1); ; n *= 3 {
					m, err := io.CopyN(dst, src, n)
					if err == io.EOF {
						return nil
					}
					if m != n || err != nil {
						return fmt.Errorf("copied %d of %d: %w", m, n, err)
					}
				}
			},
			"by a goroutine": func(ctx context.Context, dst, src Conn) error {
				_, err := reactor.ToThread(ctx, func(context.Context) (int64, error) { return io.Copy(dst, src) })
				return err
			},
		} {
			t.Run(fmt.Sprint(networks, name), func(t *testing.T) {
				run(t, func(ctx context.Context) {
					fds := len(testkit.Holdings().FDs)
					got := relay(t, ctx, networks, msg, copy)
					if err := testkit.Same(got, msg); err != nil {
						t.Error(err)
					}
					if n := len(testkit.Holdings().FDs); n > fds+2 { // of the two std ones
						t.Errorf("%d fds are open, were %d", n, fds)
					}
				})
			})
		}
	}
}
