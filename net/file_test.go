package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

type filer interface {
	File() (*os.File, error)
}

// fromFile is FileConn, FileListener and FilePacketConn of either package.
func (w *world) fileConn(f *os.File) (Conn, error) {
	if w.isStd() {
		return stdnet.FileConn(f)
	}
	return FileConn(w.ctx, f)
}

func (w *world) fileListener(f *os.File) (Listener, error) {
	if w.isStd() {
		return stdnet.FileListener(f)
	}
	return FileListener(w.ctx, f)
}

func (w *world) filePacketConn(f *os.File) (PacketConn, error) {
	if w.isStd() {
		return stdnet.FilePacketConn(f)
	}
	return FilePacketConn(w.ctx, f)
}

func TestFileConnAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				c, peer := w.connected(network, true)
				defer peer.Close()
				f, err := c.(filer).File()
				w.must(err)
				w.note("name", nil, strings.HasPrefix(f.Name(), network+":"), strings.Contains(f.Name(), "->"+c.RemoteAddr().String()))
				w.must(unix.SetNonblock(int(f.Fd()), false)) // as of a file from who knows where
				c2, err := w.fileConn(f)
				w.must(err)
				raw, err := c2.(rawConner).SyscallConn()
				w.must(err)
				raw.Control(func(fd uintptr) {
					flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
					w.note("flags", err, flags&unix.O_NONBLOCK != 0)
				})
				w.note("addresses", nil, c2.LocalAddr().String() == c.LocalAddr().String(), c2.RemoteAddr().String() == c.RemoteAddr().String())
				w.note("close the first", c.Close())
				_, err = c.(filer).File()
				w.note("File of a closed one", err)
				w.note("close the file", f.Close())
				_, err = w.fileConn(f)
				w.note("FileConn of a closed file", nil, err != nil) // we say that it is closed, std EBADF

				wait := w.spawn(func() { // it does not block the thread
					p := make([]byte, 8)
					n, err := c2.Read(p)
					w.note("read", err, string(p[:n]))
				})
				_, err = peer.Write([]byte("hello"))
				w.must(err)
				wait()
				n, err := c2.Write([]byte("ho"))
				w.note("write", err, n)
				w.note("close", c2.Close())
				all, err := io.ReadAll(peer)
				w.note("the peer's", err, string(all))
			})
		})
	}
}

func TestFileListenerAsStd(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				ln, err := stdnet.Listen(network, anyAddr(t, network)) // without options to be inherited
				w.must(err)
				f, err := ln.(filer).File()
				w.must(err)
				ln2, err := w.fileListener(f)
				w.must(err)
				w.must(f.Close())
				w.note("address", nil, ln2.Addr().String() == ln.Addr().String())
				if u, ok := ln.(interface{ SetUnlinkOnClose(bool) }); ok {
					u.SetUnlinkOnClose(false)
				}
				w.note("close", ln.Close())
				f, err = ln2.(filer).File()
				w.note("File", err)
				f.Close()
				c, err := stdnet.Dial(network, ln2.Addr().String())
				w.must(err)
				defer c.Close()
				p, err := ln2.Accept()
				w.must(err)
				defer p.Close()
				if network == "tcp" {
					for _, o := range tcpOptionsHere {
						w.note("option", nil, option(t, p, o[0], o[1]))
					}
				}
				w.note("close", ln2.Close())
				_, err = ln2.(filer).File()
				w.note("File of a closed one", err)
				if network == "unix" {
					w.note("its file is left", nil, exists(ln2.Addr().String()))
				}
			})
		})
	}
}

func TestFilePacketConnAsStd(t *testing.T) {
	for _, network := range []string{"udp", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			inBothWorlds(t, func(w *world) {
				u, err := stdnet.ListenPacket(network, anyAddr(t, map[string]string{"unixgram": "unix"}[network]))
				w.must(err)
				f, err := u.(filer).File()
				w.must(err)
				u.Close()
				c, err := w.filePacketConn(f)
				w.must(err)
				w.must(f.Close())
				w.note("type", nil, strings.TrimPrefix(fmt.Sprintf("%T", c), "*net."), c.LocalAddr().Network(), c.LocalAddr().String() == u.LocalAddr().String())
				_, err = c.WriteTo([]byte("hello"), c.LocalAddr())
				w.note("WriteTo", err)
				p := make([]byte, 8)
				n, from, err := c.ReadFrom(p)
				w.note("ReadFrom", err, string(p[:n]), from.String() == c.LocalAddr().String())
				c.Close()
			})
		})
	}
}

// TestFileOfWhat tries the functions on unsuitable files.
func TestFileOfWhatAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		plain, err := os.Create(filepath.Join(t.TempDir(), "file"))
		w.must(err)
		defer plain.Close()
		r, wr, err := os.Pipe()
		w.must(err)
		defer r.Close()
		defer wr.Close()
		u, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
		w.must(err)
		defer u.Close()
		udp, err := u.(filer).File()
		w.must(err)
		defer udp.Close()
		fds := len(testkit.Holdings().FDs)
		for i, f := range []*os.File{plain, r} {
			_, err := w.fileConn(f)
			w.note(fmt.Sprint(i, " conn"), err)
			var op *OpError
			if errors.As(err, &op) {
				w.note("of", nil, op.Addr.String() == f.Name(), op.Addr.Network())
			}
			_, err = w.fileListener(f)
			w.note(fmt.Sprint(i, " listener"), err)
			_, err = w.filePacketConn(f)
			w.note(fmt.Sprint(i, " packets"), err)
		}
		_, err = w.fileListener(udp)
		w.note("a listener of UDP", err)
		w.note("leaks", nil, len(testkit.Holdings().FDs) > fds)
	})
	run(t, func(ctx context.Context) {
		if _, err := FileConn(ctx, nil); !errors.Is(err, os.ErrInvalid) {
			t.Error("nil:", err)
		}
	})
}

// noDup is a kernel without real descriptors.
type noDup struct{ sockets.System }

func (noDup) Dup(int) (int, error) { return -1, unix.ENOTSUP }

func TestNoFilesOfOtherNetworks(t *testing.T) {
	runWith(t, reactor.Options{Sockets: noDup{}}, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f, err := p.(filer).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, file := c.(filer).File()
		_, file2 := ln.(filer).File()
		_, conn := FileConn(ctx, f)
		for _, err := range []error{file, file2, conn} {
			if !errors.Is(err, unix.ENOTSUP) {
				t.Error(err)
			}
		}
	})
}

// TestFileLeavesModeAlone: making a connection from a file, or a file from a
// socket, does not change whether the original blocks.
func TestFileLeavesModeAlone(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, p := withStd(t, ctx, "tcp")
		f, err := c.(filer).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if c2, err := FileConn(ctx, f); err != nil {
			t.Error(err)
		} else {
			c2.Close()
		}
		err = reactor.Timeout(ctx, time.Millisecond, func(context.Context) error {
			_, err := c.Read(make([]byte, 1)) // would hang for ever
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		p.Write([]byte("x"))
		outside(t, ctx, func() error {
			f.SetReadDeadline(time.Now().Add(patience)) // only a nonblocking file has one
			_, err := f.Read(make([]byte, 1))
			return err
		})
	})
}

// fullPoller is a poller that accepts no more registrations.
type fullPoller struct {
	*eddy.Poller
	now bool
}

func (p *fullPoller) Add(fd int, token uint64) error {
	if p.now {
		return unix.ENOSPC
	}
	return p.Poller.Add(fd, token)
}

// closings counts how often each descriptor is closed.
type closings struct {
	sockets.System
	of map[int]int
}

func (k *closings) Close(fd int) error {
	k.of[fd]++
	return k.System.Close(fd)
}

// TestFileNotPolled: a file that can't be polled is closed, once.
func TestFileNotPolled(t *testing.T) {
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	poller, k := &fullPoller{Poller: p}, &closings{of: map[int]int{}}
	runWith(t, reactor.Options{Poller: poller, Sockets: k}, func(ctx context.Context) {
		_, peer := withStd(t, ctx, "tcp")
		f, err := peer.(filer).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		g, err := ln.(filer).File()
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		poller.now = true
		_, conn := FileConn(ctx, f)
		_, listener := FileListener(ctx, g)
		if !errors.Is(conn, unix.ENOSPC) || !errors.Is(listener, unix.ENOSPC) {
			t.Error(conn, listener)
		}
		total := 0
		for _, n := range k.of {
			total += n
		}
		if total != 2 {
			t.Errorf("closed %v, want two", k.of)
		}
	})
}
