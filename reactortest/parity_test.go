package reactortest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// A bench runs an operation on real sockets or simulated ones, and records the
// results.
type bench struct {
	t   testing.TB
	ctx context.Context
	dir string
	log bytes.Buffer
}

func (b *bench) note(format string, args ...any) {
	for i, a := range args {
		if err, ok := a.(error); ok {
			args[i] = kindOf(err)
		}
	}
	fmt.Fprintf(&b.log, format+"\n", args...)
}

// kindOf is an error without addresses and ports: its operation and what is at
// its bottom.
func kindOf(err error) string {
	var s []string
	var op *net.OpError
	if errors.As(err, &op) {
		s = append(s, op.Op, op.Net)
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		s = append(s, sys.Syscall)
	}
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &errno):
		s = append(s, errno.Error())
	case errors.Is(err, net.ErrClosed):
		s = append(s, "closed")
	case errors.Is(err, os.ErrDeadlineExceeded):
		s = append(s, "deadline")
	case errors.As(err, &dns):
		s = append(s, fmt.Sprintf("dns, not found %v", dns.IsNotFound))
	case err == io.EOF:
		s = append(s, "EOF")
	default:
		s = append(s, err.Error())
	}
	return strings.Join(s, " ")
}

func (b *bench) address(network string) string {
	if strings.HasPrefix(network, "unix") {
		return filepath.Join(b.dir, "s")
	}
	return "127.0.0.1:0"
}

func (b *bench) listen(network string) net.Listener {
	ln, err := net.Listen(b.ctx, network, b.address(network))
	if err != nil {
		b.t.Fatal(err)
	}
	return ln
}

// pair is a connection, dialled and accepted.
func (b *bench) pair(network string) (c, s net.Conn) {
	ln := b.listen(network)
	defer ln.Close()
	c, err := net.Dial(b.ctx, network, ln.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	s, err = ln.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	return c, s
}

func (b *bench) read(name string, c io.Reader, n int) {
	p := make([]byte, n)
	m, err := c.Read(p)
	b.note("%s: read %q %v", name, p[:m], errOr(err))
}

func (b *bench) write(name string, c io.Writer, s string) {
	n, err := io.WriteString(c, s)
	b.note("%s: wrote %d %v", name, n, errOr(err))
}

func errOr(err error) any {
	if err == nil {
		return "ok"
	}
	return err
}

// settle lets the kernel, which may be a real one, pass on what was sent.
func (b *bench) settle() { reactor.Sleep(b.ctx, 20*time.Millisecond) }

type full interface {
	net.Conn
	CloseRead() error
	CloseWrite() error
}

// operations are what programs do with sockets.
var operations = []struct {
	name string
	do   func(b *bench, network string)
}{
	{"dial nobody", func(b *bench, network string) {
		ln := b.listen(network)
		addr := ln.Addr().String()
		b.note("close %v", errOr(ln.Close()))
		_, err := net.Dial(b.ctx, network, addr)
		b.note("dial %v", err)
	}},
	{"echo", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "hello")
		b.read("s", s, 100)
		b.write("s", s, "world")
		b.read("c", c, 3)
		b.read("c", c, 100)
	}},
	{"addresses", func(b *bench, network string) {
		c, s := b.pair(network)
		b.note("%v %v", c.LocalAddr().Network(), c.RemoteAddr().Network())
		b.note("%v %v", c.LocalAddr().String() == s.RemoteAddr().String(), c.RemoteAddr().String() == s.LocalAddr().String())
		b.note("%v", strings.HasPrefix(s.LocalAddr().String(), "127.0.0.1:"))
	}},
	{"half close", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "bye")
		b.note("%v", errOr(c.(full).CloseWrite()))
		b.write("c", c, "more")
		b.read("s", s, 100)
		b.read("s", s, 100)
		b.read("s", s, 100)
		b.write("s", s, "last")
		b.read("c", c, 100)
		b.note("%v", errOr(s.Close()))
		b.read("c", c, 100)
		b.note("%v", errOr(c.(full).CloseWrite()))
	}},
	{"close read", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("s", s, "before")
		b.settle()
		b.note("%v", errOr(c.(full).CloseRead()))
		b.read("c", c, 100)
		b.read("c", c, 100)
		b.write("c", c, "still")
		b.read("s", s, 100)
	}},
	{"write to a close read", func(b *bench, network string) {
		c, s := b.pair(network)
		b.note("%v", errOr(c.(full).CloseRead()))
		b.settle()
		b.write("s", s, "into the void")
	}},
	{"close, then write from afar", func(b *bench, network string) {
		c, s := b.pair(network)
		c.Close()
		b.settle()
		b.write("s", s, "one")
		b.settle()
		b.write("s", s, "two")
		b.read("s", s, 100)
		b.write("s", s, "three")
	}},
	{"write, then close from afar, then read", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "testament")
		c.Close()
		b.settle()
		b.read("s", s, 100)
		b.read("s", s, 100)
	}},
	{"close with data unread", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "ignored")
		b.settle()
		s.Close()
		b.settle()
		b.read("c", c, 100)
		b.read("c", c, 100)
		b.write("c", c, "x")
	}},
	{"close with data unread, and data sent", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "ignored")
		b.write("s", s, "sent")
		b.settle()
		s.Close()
		b.settle()
		b.read("c", c, 100)
		b.read("c", c, 100)
		b.read("c", c, 100)
	}},
	{"write after a reset", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "ignored")
		b.settle()
		s.Close()
		b.settle()
		b.write("c", c, "x")
		b.write("c", c, "x")
		b.read("c", c, 100)
	}},
	{"a reader is woken by the end", func(b *bench, network string) {
		c, s := b.pair(network)
		r := reactor.Go(b.ctx, func(ctx context.Context) error { b.read("c", c, 100); return nil })
		b.settle()
		s.Close()
		r.Wait(b.ctx)
	}},
	{"a reader is woken by Close", func(b *bench, network string) {
		c, _ := b.pair(network)
		r := reactor.Go(b.ctx, func(ctx context.Context) error { b.read("c", c, 100); return nil })
		b.settle()
		c.Close()
		r.Wait(b.ctx)
		b.note("%v", errOr(c.Close()))
		b.write("c", c, "x")
		b.read("c", c, 1)
	}},
	{"deadlines", func(b *bench, network string) {
		c, s := b.pair(network)
		now := reactor.Now(b.ctx)
		c.SetReadDeadline(now.Add(30 * time.Millisecond))
		b.read("c", c, 10)
		b.write("s", s, "late")
		b.settle()
		b.read("c", c, 10)
		c.SetReadDeadline(time.Time{})
		b.read("c", c, 10)
		c.SetDeadline(now.Add(-time.Second))
		b.read("c", c, 10)
		b.write("c", c, "x")
		c.SetDeadline(time.Now().Add(50 * time.Millisecond)) // the system's time
		b.read("c", c, 10)
	}},
	{"a writer without room", func(b *bench, network string) {
		c, s := b.pair(network)
		var n int
		var err error
		for n == 0 { // the time may be over before this task writes
			c.SetWriteDeadline(reactor.Now(b.ctx).Add(50 * time.Millisecond))
			n, err = c.Write(make([]byte, 64<<20))
		}
		b.note("all %v, some %v: %v", n == 64<<20, n > 0, errOr(err))
		c.SetWriteDeadline(time.Time{})
		w := reactor.Go(b.ctx, func(ctx context.Context) error { _, err := c.Write(make([]byte, 1<<20)); c.Close(); return err })
		m, err := io.Copy(io.Discard, s)
		b.note("%v %v", int(m) == n+1<<20, errOr(err))
		b.note("%v", errOr(w.Wait(b.ctx)))
	}},
	{"a writer is woken by a reset", func(b *bench, network string) {
		c, s := b.pair(network)
		w := reactor.Go(b.ctx, func(ctx context.Context) error { _, err := c.Write(make([]byte, 64<<20)); return err })
		b.settle()
		s.Close()
		b.note("%v", errOr(w.Wait(b.ctx)))
	}},
	{"listen twice", func(b *bench, network string) {
		ln := b.listen(network)
		_, err := net.Listen(b.ctx, network, ln.Addr().String())
		b.note("%v", errOr(err))
		ln.Close()
		ln, err = net.Listen(b.ctx, network, ln.Addr().String())
		b.note("%v", errOr(err))
		ln.Close()
	}},
	{"accept and its ends", func(b *bench, network string) {
		ln := b.listen(network)
		ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(reactor.Now(b.ctx).Add(30 * time.Millisecond))
		_, err := ln.Accept()
		b.note("%v", err)
		ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Time{})
		a := reactor.Go(b.ctx, func(ctx context.Context) error { _, err := ln.Accept(); return err })
		b.settle()
		ln.Close()
		b.note("%v", a.Wait(b.ctx))
		_, err = ln.Accept()
		b.note("%v", err)
	}},
	{"a listener closed with a connection in its queue", func(b *bench, network string) {
		ln := b.listen(network)
		c, err := net.Dial(b.ctx, network, ln.Addr().String())
		b.note("%v", errOr(err))
		b.write("c", c, "anybody?")
		ln.Close()
		b.settle()
		b.read("c", c, 10)
		b.write("c", c, "x")
	}},
	{"a connection that is gone before it is accepted", func(b *bench, network string) {
		ln := b.listen(network)
		c, _ := net.Dial(b.ctx, network, ln.Addr().String())
		b.write("c", c, "here I was")
		c.Close()
		b.settle()
		s, err := ln.Accept()
		b.note("%v", errOr(err))
		b.read("s", s, 100)
		b.read("s", s, 100)
	}},
	{"cancel", func(b *bench, network string) {
		c, s := b.pair(network)
		err := reactor.Timeout(b.ctx, 30*time.Millisecond, func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err })
		b.note("%v", errors.Is(err, context.DeadlineExceeded))
		b.write("s", s, "x")
		b.read("c", c, 1)
	}},
	{"serve", func(b *bench, network string) {
		ln := b.listen(network)
		v := reactor.Go(b.ctx, func(ctx context.Context) error {
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error { _, err := io.Copy(c, c); return err })
		})
		for range 3 {
			c, err := net.Dial(b.ctx, network, ln.Addr().String())
			b.note("%v", errOr(err))
			b.write("c", c, strings.Repeat("0123456789", 1000))
			c.(full).CloseWrite()
			got, err := io.ReadAll(c)
			b.note("%d %v", len(got), errOr(err))
			c.Close()
		}
		ln.Close()
		b.note("%v", errOr(v.Wait(b.ctx)))
	}},
	{"empty reads and writes", func(b *bench, network string) {
		c, s := b.pair(network)
		b.write("c", c, "")
		b.read("c", c, 0)
		s.Close()
		b.settle()
		b.read("c", c, 0)
		b.read("c", c, 1)
	}},
}

var otherOperations = []struct {
	name string
	do   func(b *bench)
}{
	{"reset by linger", func(b *bench) {
		c, s := b.pair("tcp")
		b.write("c", c, "lost?")
		b.settle()
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		b.settle()
		b.read("s", s, 100)
		b.read("s", s, 100)
		b.read("s", s, 100)
		b.write("s", s, "x")
	}},
	{"names", func(b *bench) {
		ln := b.listen("tcp")
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		_, err := net.Dial(b.ctx, "tcp", "localhost:"+port)
		b.note("%v", errOr(err))
		_, err = net.Dial(b.ctx, "tcp", "nobody.invalid:"+port)
		b.note("%v", errOr(err))
	}},
	{"any address", func(b *bench) {
		for _, network := range []string{"tcp", "tcp4"} {
			ln, err := net.Listen(b.ctx, network, ":0")
			b.note("%v", errOr(err))
			_, port, _ := net.SplitHostPort(ln.Addr().String())
			b.note("%v", strings.TrimSuffix(ln.Addr().String(), port))
			c, err := net.Dial(b.ctx, "tcp", ":"+port)
			b.note("%v", errOr(err))
			s, err := ln.Accept()
			b.note("%v %v", errOr(err), s.LocalAddr().String() == c.RemoteAddr().String())
			b.note("%v", strings.TrimSuffix(s.LocalAddr().String(), port))
			_, err = net.Listen(b.ctx, "tcp", "127.0.0.1:"+port)
			b.note("%v", errOr(err))
			ln.Close()
		}
	}},
	{"IPv6", func(b *bench) {
		ln, err := net.Listen(b.ctx, "tcp", "[::1]:0")
		b.note("%v", errOr(err))
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		c, err := net.Dial(b.ctx, "tcp", "[::1]:"+port)
		b.note("%v", errOr(err))
		b.note("%v", strings.TrimSuffix(c.RemoteAddr().String(), port))
		_, err = net.Dial(b.ctx, "tcp", "127.0.0.1:"+port)
		b.note("%v", errOr(err))
		_, err = net.Listen(b.ctx, "tcp", "127.0.0.1:"+port)
		b.note("%v", errOr(err))
	}},
	{"not my address", func(b *bench) {
		_, err := net.Listen(b.ctx, "tcp", "192.0.2.1:0")
		b.note("%v", errOr(err))
	}},
	{"a Unix socket's file", func(b *bench) {
		ln := b.listen("unix")
		ln.(*net.UnixListener).SetUnlinkOnClose(false)
		ln.Close()
		_, err := net.Dial(b.ctx, "unix", b.address("unix"))
		b.note("%v", errOr(err))
		_, err = net.Listen(b.ctx, "unix", b.address("unix"))
		b.note("%v", errOr(err))
		ln, err = net.Listen(b.ctx, "unix", "@eddy-parity-test")
		b.note("%v", errOr(err))
		_, err = net.Dial(b.ctx, "unix", "@eddy-parity-test")
		b.note("%v", errOr(err))
		ln.Close()
		_, err = net.Dial(b.ctx, "unix", "@eddy-parity-test")
		b.note("%v", errOr(err))
	}},
	{"datagrams", func(b *bench) {
		p, err := net.ListenPacket(b.ctx, "udp", "127.0.0.1:0")
		b.note("%v", errOr(err))
		c, err := net.Dial(b.ctx, "udp", p.LocalAddr().String())
		b.note("%v", errOr(err))
		b.write("c", c, "one")
		b.write("c", c, "")
		b.write("c", c, "three")
		for range 3 {
			buf := make([]byte, 4)
			n, from, err := p.ReadFrom(buf)
			b.note("%q %v %v", buf[:n], from.String() == c.LocalAddr().String(), errOr(err))
		}
		n, err := p.WriteTo([]byte("back"), c.LocalAddr())
		b.note("%d %v", n, errOr(err))
		b.read("c", c, 100)
		n, err = p.WriteTo(make([]byte, 70000), c.LocalAddr())
		b.note("%d %v", n, errOr(err))
		p.SetReadDeadline(reactor.Now(b.ctx).Add(20 * time.Millisecond))
		_, _, err = p.ReadFrom(make([]byte, 1))
		b.note("%v", err)
		p.Close()
		_, _, err = p.ReadFrom(make([]byte, 1))
		b.note("%v", err)
		b.write("c", c, "nobody")
		b.settle()
		b.read("c", c, 100)
	}},
	{"a reader of datagrams learns that nobody is there", func(b *bench) {
		p, _ := net.ListenPacket(b.ctx, "udp", "127.0.0.1:0")
		c, _ := net.Dial(b.ctx, "udp", p.LocalAddr().String())
		p.Close()
		c.SetReadDeadline(reactor.Now(b.ctx).Add(5 * time.Second))
		r := reactor.Go(b.ctx, func(ctx context.Context) error { b.read("c", c, 10); return nil })
		b.settle()
		b.write("c", c, "anybody?")
		r.Wait(b.ctx)
	}},
	{"connections that wait for data with no task", func(b *bench) {
		ln := b.listen("tcp")
		v := reactor.Go(b.ctx, func(ctx context.Context) error {
			return net.ServeReady(ctx, ln, func(ctx context.Context, c *net.ReadyConn) error {
				buf := make([]byte, 10)
				n, err := c.Read(buf)
				if err == nil {
					_, err = c.Write(buf[:n])
				}
				return err
			})
		})
		c, err := net.Dial(b.ctx, "tcp", ln.Addr().String())
		b.note("%v", errOr(err))
		for range 3 {
			b.write("c", c, "ping")
			b.read("c", c, 10)
		}
		b.note("%v", errOr(c.Close()))
		b.settle()
		ln.Close()
		b.note("%v", errOr(v.Wait(b.ctx)))
	}},
	{"a stranger's datagram", func(b *bench) {
		p, _ := net.ListenPacket(b.ctx, "udp", "127.0.0.1:0")
		q, _ := net.ListenPacket(b.ctx, "udp", "127.0.0.1:0")
		c, _ := net.Dial(b.ctx, "udp", p.LocalAddr().String())
		q.WriteTo([]byte("psst"), c.LocalAddr())
		p.WriteTo([]byte("hello"), c.LocalAddr())
		b.read("c", c, 100)
	}},
}

// on tries an operation on real sockets, or simulated ones.
func on(t *testing.T, simulated bool, do func(b *bench)) string {
	dir, err := os.MkdirTemp("", "eddy") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	b := &bench{t: t, dir: dir}
	if simulated {
		reactortest.Run(t, func(ctx context.Context) { b.ctx = ctx; do(b) })
		return b.log.String()
	}
	if err := reactor.Run(context.Background(), func(ctx context.Context) error { b.ctx = ctx; do(b); return nil }); err != nil {
		t.Error(err)
	}
	return b.log.String()
}

// TestSimulatedAsReal: operations have the same results on simulated sockets as
// on those of this system.
func TestSimulatedAsReal(t *testing.T) {
	try := func(name string, do func(b *bench)) {
		t.Run(name, func(t *testing.T) {
			real, simulated := on(t, false, do), on(t, true, do)
			for end := time.Now().Add(testkit.Patience / 4); real != simulated && time.Now().Before(end); { // this machine may be busy
				real = on(t, false, do)
			}
			if real != simulated {
				t.Errorf("real:\n%ssimulated:\n%s", real, simulated)
			}
		})
	}
	for _, op := range operations {
		for _, network := range []string{"tcp", "unix"} {
			try(op.name+"/"+network, func(b *bench) { op.do(b, network) })
		}
	}
	for _, op := range otherOperations {
		try(op.name, op.do)
	}
}
