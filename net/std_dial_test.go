package net

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	stdnet "net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// refused is an address where nobody listens, and nobody can until the test ends:
// it is that of a socket that only holds it.
func refused(t testing.TB) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint("127.0.0.1:", own.(*unix.SockaddrInet4).Port)
}

func TestDialAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		nobody := filepath.Join(t.TempDir(), "nobody")
		for i, a := range [][2]string{
			{"tcp", refused(t)},
			{"tcp4", refused(t)},
			{"tcp", "127.0.0.1"},
			{"tcp", "127.0.0.1:99999"},
			{"tcp", "127.0.0.1:-1"},
			{"tcp", "127.0.0.1:no-such-service"},
			{"tcp", "[::1"},
			{"tcp", "a:b:c"},
			{"tcp4", "[::1]:80"},
			{"tcp6", "127.0.0.1:80"},
			{"tcp", "name.invalid:80"},
			{"tcp", "bad name:80"},
			{"nonsense", "127.0.0.1:80"},
			{"", "127.0.0.1:80"},
			{"unix", nobody},
			{"unix", filepath.Join(nobody, "below")},
			{"unix", "/" + strings.Repeat("x", 200)},
		} {
			c, err := w.dial(w.ctx, a[0], a[1])
			w.note(fmt.Sprint("row ", i, " ", a[0]), err, c == nil)
			if c != nil {
				c.Close()
			}
		}
	})
}

// masked hides the port, which differs from run to run.
func masked(a Addr) string {
	if t, ok := a.(*TCPAddr); ok {
		if t.Port == 0 {
			return stdnet.JoinHostPort(t.IP.String(), "0")
		}
		return stdnet.JoinHostPort(t.IP.String(), "some")
	}
	return a.String()
}

func portOf(a Addr) string {
	_, port, _ := stdnet.SplitHostPort(a.String())
	return port
}

// TestAddressesAsStd listens on all kinds of addresses, and sees who gets there.
func TestAddressesAsStd(t *testing.T) {
	for _, a := range [][2]string{
		{"tcp", ":0"}, {"tcp4", ":0"}, {"tcp6", ":0"},
		{"tcp", "0.0.0.0:0"}, {"tcp4", "0.0.0.0:0"},
		{"tcp", "[::]:0"}, {"tcp6", "[::]:0"},
		{"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"}, {"tcp6", "[::1]:0"},
		{"tcp", "localhost:0"}, {"tcp4", "localhost:0"},
		{"tcp", "[::ffff:127.0.0.1]:0"},
		{"tcp", "127.0.0.1:"},
	} {
		t.Run(a[0]+" "+a[1], func(t *testing.T) {
			inBothWorlds(t, func(w *world) { w.reach(a[0], a[1]) })
		})
	}
}

// reach listens on an address and dials all kinds of hosts.
func (w *world) reach(network, addr string) {
	ln, err := w.listen(w.ctx, network, addr)
	if w.note("listen", err); err != nil {
		return
	}
	defer ln.Close()
	w.note("at", nil, masked(ln.Addr()), ln.Addr().Network())
	for _, host := range []string{"127.0.0.1", "::1", "0.0.0.0", "::", "", "localhost"} {
		c, err := w.dial(w.ctx, "tcp", JoinHostPort(host, portOf(ln.Addr())))
		w.note("dial "+host, err)
		if err != nil {
			continue
		}
		p, err := ln.Accept()
		w.must(err)
		w.note("from", nil, masked(c.LocalAddr()), masked(p.RemoteAddr()))
		w.note("to", nil, masked(c.RemoteAddr()), masked(p.LocalAddr()))
		w.note("agree", nil, c.LocalAddr().String() == p.RemoteAddr().String(), c.RemoteAddr().String() == p.LocalAddr().String())
		c.Close()
		p.Close()
		w.note("after close", nil, masked(c.LocalAddr()), masked(p.RemoteAddr()))
	}
	w.must(ln.Close())
	w.note("after close", nil, masked(ln.Addr()))
}

func TestListenAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		dir, err := os.MkdirTemp("", "eddy")
		w.must(err)
		defer os.RemoveAll(dir)
		taken, err := stdnet.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		defer taken.Close()
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)
		for _, a := range [][2]string{
			{"tcp", taken.Addr().String()},
			{"tcp", "192.0.2.1:0"}, // TEST-NET-1, nobody's
			{"tcp", "127.0.0.1"},
			{"tcp", "127.0.0.1:99999"},
			{"tcp", "name.invalid:0"},
			{"tcp4", "[::1]:0"},
			{"nonsense", ":0"},
			{"unix", filepath.Join(dir, "file")},
			{"unix", filepath.Join(dir, "no", "directory")},
			{"unix", "/proc/unwritable"},
			{"unix", "/" + strings.Repeat("x", 200)},
		} {
			ln, err := w.listen(w.ctx, a[0], a[1])
			w.note("listen "+a[0], err, ln == nil)
		}
		_, err = os.Stat(filepath.Join(dir, "file"))
		w.note("what was in the way is still there", nil, err == nil)
	})
}

var onListener = []struct {
	name string
	do   func(w *world, ln Listener)
}{
	{"use after close", func(w *world, ln Listener) {
		w.note("close", ln.Close())
		w.note("close again", ln.Close())
		c, err := ln.Accept()
		w.note("accept", err, c == nil)
		err = ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(past())
		w.note("SetDeadline", nil, errors.Is(err, ErrClosed)) // std gives its poller's own error
		_, err = w.dial(w.ctx, ln.Addr().Network(), ln.Addr().String())
		w.note("dial", nil, err != nil)
	}},
	{"close while an accept waits", func(w *world, ln Listener) {
		wait := w.spawn(func() {
			c, err := ln.Accept()
			w.note("accept", err, c == nil)
		})
		err := ln.Close()
		wait()
		w.note("close", err)
	}},
	{"deadlines", func(w *world, ln Listener) {
		d := ln.(interface{ SetDeadline(time.Time) error })
		w.note("set", d.SetDeadline(past()))
		c, err := ln.Accept()
		w.note("accept", err, c == nil)
		w.note("set", d.SetDeadline(soon()))
		c, err = ln.Accept()
		w.note("accept", err, c == nil)
		w.note("clear", d.SetDeadline(time.Time{}))
		p, err := stdnet.Dial(ln.Addr().Network(), ln.Addr().String())
		w.must(err)
		defer p.Close()
		c, err = ln.Accept()
		w.note("accept", err)
		c.Close()
		wait := w.spawn(func() {
			c, err := ln.Accept()
			w.note("accept", err, c == nil)
		})
		err = d.SetDeadline(past())
		wait()
		w.note("set while it waits", err)
	}},
	{"a client that is gone", func(w *world, ln Listener) {
		p, err := stdnet.Dial(ln.Addr().Network(), ln.Addr().String())
		w.must(err)
		p.Write([]byte("hi"))
		p.Close()
		c, err := ln.Accept()
		w.note("accept", err)
		defer c.Close()
		b := make([]byte, 8)
		n, err := c.Read(b)
		w.note("read", err, n)
		n, err = c.Read(b)
		w.note("read", err, n)
	}},
	{"what is accepted outlives the listener", func(w *world, ln Listener) {
		p, err := stdnet.Dial(ln.Addr().Network(), ln.Addr().String())
		w.must(err)
		defer p.Close()
		c, err := ln.Accept()
		w.must(err)
		defer c.Close()
		w.note("close", ln.Close())
		p.Write([]byte("hi"))
		n, err := c.Read(make([]byte, 8))
		w.note("read", err, n)
	}},
}

func TestListenerAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, test := range onListener {
			t.Run(network+"/"+test.name, func(t *testing.T) {
				inBothWorlds(t, func(w *world) {
					ln, err := w.listen(w.ctx, network, anyAddr(t, network))
					w.must(err)
					defer ln.Close()
					test.do(w, ln)
				})
			})
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestUnixFileAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		path := anyAddr(t, "unix")
		ln, err := w.listen(w.ctx, "unix", path)
		w.must(err)
		w.note("there", nil, exists(path))
		_, err = w.listen(w.ctx, "unix", path)
		w.note("a second one", err)
		w.note("still there", nil, exists(path))
		w.must(ln.Close())
		w.note("removed", nil, !exists(path))
		other, err := w.listen(w.ctx, "unix", path)
		w.note("again", err)
		defer other.Close()
		w.note("close of the closed one", ln.Close())
		w.note("spares its successor's file", nil, exists(path))
	})
}

// deaf is a kernel whose connections are never made.
type deaf struct{ sockets.System }

func (deaf) Connect(int, unix.Sockaddr) error { return unix.EINPROGRESS }

// TestDialCtx has connections that never come about, and ends them by every
// kind of ctx.
func TestDialCtx(t *testing.T) {
	ctxs := map[string]func(ctx context.Context, dial func(context.Context) error) error{
		"reactor.Timeout": func(ctx context.Context, dial func(context.Context) error) error {
			return reactor.Timeout(ctx, time.Millisecond, dial)
		},
		"context.WithTimeout": func(ctx context.Context, dial func(context.Context) error) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			return dial(ctx)
		},
		"context.WithCancel": func(ctx context.Context, dial func(context.Context) error) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			time.AfterFunc(time.Millisecond, cancel)
			return dial(ctx)
		},
		"an outer scope's ctx": func(ctx context.Context, dial func(context.Context) error) error {
			return reactor.Timeout(ctx, time.Millisecond, func(outer context.Context) error {
				return reactor.Timeout(outer, time.Hour, func(context.Context) error { return dial(outer) })
			})
		},
		"another goroutine": func(ctx context.Context, dial func(context.Context) error) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, dial(ctx) })
			return err
		},
		"a task's Cancel": func(ctx context.Context, dial func(context.Context) error) error {
			task := reactor.Go(ctx, dial)
			parked(ctx)
			task.Cancel(nil)
			return task.Wait(ctx)
		},
		"done before": func(ctx context.Context, dial func(context.Context) error) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return dial(ctx)
		},
	}
	for name, f := range ctxs {
		t.Run(name, func(t *testing.T) {
			runWith(t, reactor.Options{Sockets: deaf{}}, func(ctx context.Context) {
				var dialled error
				err := f(ctx, func(ctx context.Context) error {
					c, err := Dial(ctx, "tcp", "127.0.0.1:1")
					if c != nil {
						t.Error("a connection to nowhere")
					}
					dialled = err
					return err
				})
				if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				var op *OpError
				if name != "another goroutine" && (!errors.As(dialled, &op) || op.Op != "dial") {
					t.Errorf("Dial returned %#v", dialled)
				}
			})
		})
	}
}

func TestNoLoop(t *testing.T) {
	testkit.Leaks(t)
	_, dial := Dial(context.Background(), "tcp", refused(t))
	_, listen := Listen(context.Background(), "tcp", "127.0.0.1:0")
	for _, err := range []error{dial, listen} {
		if err == nil || !strings.Contains(err.Error(), "reactor.Run") {
			t.Error(err)
		}
	}
}

func TestLoopEnded(t *testing.T) {
	var dead context.Context
	run(t, func(ctx context.Context) { dead = context.WithoutCancel(ctx) })
	within(t, "Dial on a dead loop", func() {
		if _, err := Dial(dead, "tcp", refused(t)); !errors.Is(err, ErrClosed) {
			t.Error("Dial:", err)
		}
		if _, err := Listen(dead, "tcp", "127.0.0.1:0"); !errors.Is(err, ErrClosed) {
			t.Error("Listen:", err)
		}
	})
}

// TestFailuresLeakNothing: a Dial or Listen that fails leaves no fd behind, not
// even until the loop's end.
func TestFailuresLeakNothing(t *testing.T) {
	run(t, func(ctx context.Context) {
		taken, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		nobody := refused(t)
		fds := len(testkit.Holdings().FDs)
		for range 20 {
			for _, a := range [][2]string{{"tcp", nobody}, {"unix", "/nonexistent/s"}} {
				if c, err := Dial(ctx, a[0], a[1]); err == nil {
					t.Error("connected to", c.RemoteAddr())
				}
			}
			for _, a := range [][2]string{{"tcp", taken.Addr().String()}, {"unix", "/nonexistent/s"}} {
				if ln, err := Listen(ctx, a[0], a[1]); err == nil {
					t.Error("listening on", ln.Addr())
				}
			}
		}
		if n := len(testkit.Holdings().FDs); n > fds {
			t.Errorf("%d fds are open, were %d", n, fds)
		}
	})
}

// selfish is a kernel whose first connection of each loop is one of the socket
// to itself, as happens when the kernel chooses the dialled port for it.
type selfish struct {
	sockets.System
	n int
}

func (k *selfish) LocalAddr(fd int) (unix.Sockaddr, error) {
	if k.n++; k.n == 1 {
		return k.System.PeerAddr(fd)
	}
	return k.System.LocalAddr(fd)
}

func TestFaultSelfConnect(t *testing.T) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	k := &selfish{}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		c, err := Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if c.LocalAddr().String() == c.RemoteAddr().String() {
			t.Error("connected to itself:", c.LocalAddr())
		}
		if k.n != 2 {
			t.Errorf("%d attempts, want 2", k.n)
		}
	})
}
