package reactortest_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// These operations come out as they do on Linux, whose kernel is the simulated one's
// model, and otherwise elsewhere.
func init() {
	otherOperations = append(otherOperations, linuxOperations...)
}

// dialFrom dials from an address, without options on the socket or with SO_REUSEADDR.
func (b *bench) dialFrom(local, to net.Addr, reuse bool) (*net.TCPConn, error) {
	d := net.Dialer{LocalAddr: local}
	if reuse {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { b.setInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) })
		}
	}
	c, err := d.DialContext(b.ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// setInt sets an option of a real socket, or of a simulated one.
func (b *bench) setInt(fd, level, name, value int) {
	if err := core.Sockets(b.ctx).SetInt(fd, level, name, value); err != nil {
		b.t.Error(err)
	}
}

// accepted accepts the next connection.
func (b *bench) accepted(ln net.Listener) *net.TCPConn {
	c, err := ln.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

var linuxOperations = []struct {
	name string
	do   func(b *bench)
}{
	{"the port of an active close", func(b *bench) {
		ln := b.listen("tcp")
		local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
		try := func(when string, c *net.TCPConn, reuse bool) {
			c, err := b.dialFrom(c.LocalAddr(), ln.Addr(), reuse)
			b.note("%s: %v", when, errOr(err))
			if err == nil {
				c.SetLinger(0)
				c.Close()
				b.accepted(ln).Close()
			}
		}
		c, _ := b.dialFrom(local, ln.Addr(), false)
		s := b.accepted(ln)
		try("connected", c, false)
		c.Close()
		b.settle()
		try("FIN-WAIT-2", c, false)
		s.Close()
		b.settle()
		try("TIME-WAIT", c, false)
		try("TIME-WAIT, with SO_REUSEADDR", c, true)
		_, err := net.Listen(b.ctx, "tcp", c.LocalAddr().String())
		b.note("listen there: %v", errOr(err))
		c, _ = b.dialFrom(local, ln.Addr(), false)
		s = b.accepted(ln)
		s.Close()
		b.settle()
		c.Close()
		b.settle()
		try("after a passive close", c, false)

		c, _ = b.dialFrom(local, ln.Addr(), false)
		b.accepted(ln)
		c.SetLinger(0)
		c.Close()
		b.settle()
		try("after a reset", c, false)

		c, _ = b.dialFrom(local, ln.Addr(), false)
		s = b.accepted(ln)
		c.CloseWrite()
		s.CloseWrite()
		b.settle()
		c.Close()
		try("after two half closes", c, false)

		addr := ln.Addr().String()
		ln.Close()
		ln, err = net.Listen(b.ctx, "tcp", addr)
		b.note("the server's own port: %v", errOr(err))
	}},
	{"a socket that calls itself", func(b *bench) {
		ln := b.listen("tcp")
		addr := ln.Addr()
		ln.Close()
		c, err := b.dialFrom(addr, addr, false)
		b.note("%v", errOr(err))
		b.note("%v %v", c.LocalAddr().String() == addr.String(), c.RemoteAddr().String() == addr.String())
		b.write("c", c, "hello")
		b.read("c", c, 3)
		b.read("c", c, 10)
		w := reactor.Go(b.ctx, func(context.Context) error { _, err := c.Write(make([]byte, 20<<20)); return err })
		n := 0
		for p := make([]byte, 1<<20); n < 20<<20; {
			m, err := c.Read(p)
			if n += m; err != nil {
				b.note("%v", err)
				break
			}
		}
		b.note("%d %v", n, errOr(w.Wait(b.ctx)))
		b.note("%v", errOr(c.CloseWrite()))
		b.read("c", c, 10)
		b.write("c", c, "x")
		b.note("%v", errOr(c.Close()))
		_, err = b.dialFrom(addr, addr, false)
		b.note("again: %v", err)
	}},
	{"backlogs", func(b *bench) {
		for _, n := range []int{1, 3, 10} {
			ln, err := (&net.ListenConfig{Backlog: n}).Listen(b.ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				b.t.Fatal(err)
			}
			connected := 0
			for range n + 3 {
				err := reactor.Timeout(b.ctx, 50*time.Millisecond, func(ctx context.Context) error {
					_, err := net.Dial(ctx, "tcp", ln.Addr().String())
					return err
				})
				if err == nil {
					connected++
				}
			}
			b.note("a backlog of %d: %d", n, connected)
			ln.Close()
		}
	}},
	{"a listener closed with a silent connection in its queue", func(b *bench) {
		ln := b.listen("tcp")
		c, err := net.Dial(b.ctx, "tcp", ln.Addr().String())
		b.note("%v", errOr(err))
		ln.Close()
		b.settle()
		b.read("c", c, 10)
		b.write("c", c, "x")
	}},
	{"datagrams in the Unix domain", func(b *bench) {
		p, err := net.ListenPacket(b.ctx, "unixgram", b.address("unix"))
		b.note("%v", errOr(err))
		c, _ := net.Dial(b.ctx, "unixgram", b.address("unix"))
		sent := 0
		w := reactor.Go(b.ctx, func(context.Context) error {
			for range 100 {
				if _, err := c.Write([]byte("x")); err != nil {
					return err
				}
				sent++
			}
			return nil
		})
		b.settle()
		for range 100 {
			if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
				b.note("%v", err)
			}
		}
		b.note("%d are sent, %v", sent, errOr(w.Wait(b.ctx)))
	}},
}

// datagramSizes are those of datagrams, and how many of them Linux 6.18 holds in a
// buffer that was not set, and in one set to 4096 bytes.
var datagramSizes = []struct{ size, held, heldInLittle int }{
	{0, 256, 9}, {1, 256, 9}, {197, 256, 9}, {198, 166, 6}, {645, 166, 6}, {646, 92, 3}, {1472, 92, 3}, {1670, 48, 1},
	{3718, 25, 1}, {9000, 12, 1}, {16004, 12, 1}, {20_000, 10, 1}, {60_000, 3, 1},
}

// A datagram is charged what it costs the kernel, and not its bytes alone: three
// thousand of one byte don't fit in a buffer of 200 KB.
func TestDatagramsThatFit(t *testing.T) {
	held := func(b *bench, size, buffer int) int {
		p, _ := net.ListenPacket(b.ctx, "udp", "127.0.0.1:0")
		defer p.Close()
		if buffer > 0 {
			p.(*net.UDPConn).SetReadBuffer(buffer)
		}
		c, _ := net.Dial(b.ctx, "udp", p.LocalAddr().String())
		defer c.Close()
		for range 3_000_000 / max(1000, size) {
			if _, err := c.Write(make([]byte, size)); err != nil {
				b.t.Error(err)
				break
			}
		}
		return b.drain(p)
	}
	on(t, true, func(b *bench) {
		for _, s := range datagramSizes {
			if n, little := held(b, s.size, 0), held(b, s.size, 4096); n != s.held || little != s.heldInLittle {
				t.Errorf("of %d bytes, %d and %d are held, want %d and %d", s.size, n, little, s.held, s.heldInLittle)
			}
		}
	})
	if set, _ := os.ReadFile("/proc/sys/net/core/rmem_default"); strings.TrimSpace(string(set)) != "212992" {
		t.Skip("this system's buffers are not Linux's default")
	}
	on(t, false, func(b *bench) { // whose kernel may be another one
		for _, s := range datagramSizes {
			n := 0
			for try := 0; n < s.held*2/3 && try < 5; try++ { // it may be busy
				n = held(b, s.size, 0)
			}
			if n < s.held*2/3 || n > s.held*3/2+1 {
				t.Errorf("of %d bytes, a real buffer holds %d, and a simulated one %d", s.size, n, s.held)
			}
		}
	})
}

// drain reads what there is, and returns how many datagrams it was.
func (b *bench) drain(p net.PacketConn) (n int) {
	b.settle()
	for {
		p.SetReadDeadline(reactor.Now(b.ctx).Add(5 * time.Millisecond))
		if _, _, err := p.ReadFrom(make([]byte, 1)); err != nil {
			return n
		}
		n++
	}
}
