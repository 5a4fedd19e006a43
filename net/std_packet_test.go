package net

import (
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"
	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

// udpSocket is what both nets' UDP connections can do.
type udpSocket interface {
	Conn
	PacketConn
	ReadFromUDP([]byte) (int, *UDPAddr, error)
	ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *UDPAddr, err error)
	ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error)
	WriteToUDP([]byte, *UDPAddr) (int, error)
	WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	WriteMsgUDP(b, oob []byte, addr *UDPAddr) (n, oobn int, err error)
	WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error)
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
	SyscallConn() (syscall.RawConn, error)
}

// unixSocket is what both nets' Unix connections can do.
type unixSocket interface {
	Conn
	PacketConn
	ReadFromUnix([]byte) (int, *UnixAddr, error)
	ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *UnixAddr, err error)
	WriteToUnix([]byte, *UnixAddr) (int, error)
	WriteMsgUnix(b, oob []byte, addr *UnixAddr) (n, oobn int, err error)
	CloseRead() error
	CloseWrite() error
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}

var (
	_ udpSocket  = (*UDPConn)(nil)
	_ udpSocket  = (*stdnet.UDPConn)(nil)
	_ unixSocket = (*UnixConn)(nil)
	_ unixSocket = (*stdnet.UnixConn)(nil)
)

func (w *world) ours() bool { return reactor.LoopOf(w.ctx) != nil }

// made is c as an interface, nil on an error.
func made[I, C any](c C, err error) (I, error) {
	if err != nil {
		var none I
		return none, err
	}
	return any(c).(I), nil
}

func (w *world) listenUDP(network string, a *UDPAddr) (udpSocket, error) {
	if w.ours() {
		return made[udpSocket](ListenUDP(w.ctx, network, a))
	}
	return made[udpSocket](stdnet.ListenUDP(network, a))
}

func (w *world) dialUDP(network string, from, to *UDPAddr) (udpSocket, error) {
	if w.ours() {
		return made[udpSocket](DialUDP(w.ctx, network, from, to))
	}
	return made[udpSocket](stdnet.DialUDP(network, from, to))
}

func (w *world) listenPacket(network, addr string) (PacketConn, error) {
	if w.ours() {
		return ListenPacket(w.ctx, network, addr)
	}
	return stdnet.ListenPacket(network, addr)
}

func (w *world) listenUnixgram(network string, a *UnixAddr) (unixSocket, error) {
	if w.ours() {
		return made[unixSocket](ListenUnixgram(w.ctx, network, a))
	}
	return made[unixSocket](stdnet.ListenUnixgram(network, a))
}

func (w *world) dialUnix(network string, from, to *UnixAddr) (unixSocket, error) {
	if w.ours() {
		return made[unixSocket](DialUnix(w.ctx, network, from, to))
	}
	return made[unixSocket](stdnet.DialUnix(network, from, to))
}

func (w *world) listenUnix(network string, a *UnixAddr) (Listener, error) {
	if w.ours() {
		return made[Listener](ListenUnix(w.ctx, network, a))
	}
	return made[Listener](stdnet.ListenUnix(network, a))
}

// tell is note, and records besides what an OpError says and wraps.
func (w *world) tell(what string, err error, results ...any) {
	var op *OpError
	if errors.As(err, &op) {
		results = append(results, "source", op.Source != nil, "addr", op.Addr != nil)
	}
	for _, known := range []error{ErrWriteToConnected, io.EOF} {
		if errors.Is(err, known) {
			results = append(results, known)
		}
	}
	if err != nil && strings.HasSuffix(err.Error(), "missing address") {
		results = append(results, "missing address")
	}
	w.note(what, err, results...)
}

func udpAddr(c Conn) *UDPAddr          { return c.LocalAddr().(*UDPAddr) }
func addrPortOf(c Conn) netip.AddrPort { return udpAddr(c).AddrPort() }

// deafen connects c to itself: whatever others send it is refused, and its port is
// not given to a stranger, as that of a closed socket could be.
func deafen(c udpSocket) error {
	own := udpAddr(c)
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: own.Port, Addr: [4]byte{127, 0, 0, 1}}
	if own.IP.To4() == nil {
		to = &unix.SockaddrInet6{Port: own.Port, Addr: own.AddrPort().Addr().As16()}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return errors.Join(raw.Control(func(fd uintptr) { err = unix.Connect(int(fd), to) }), err)
}

// refusal sends from c to a deaf socket until f is refused. A busy kernel reports a
// refusal late, and a report that was not asked for yet is lost to the next one.
func refusal(c udpSocket, f func() (int, error)) (n int, err error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c.Write([]byte("x"))
		c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if n, err = f(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	return n, err
}

// A udpStep is something done to two UDP sockets that are bound and not connected.
type udpStep struct {
	name string
	do   func(w *world, a, b udpSocket)
}

var onUDP = []udpStep{
	{"all ways to read and write", func(w *world, a, b udpSocket) {
		p := make([]byte, 16)
		writes := []func() (int, error){
			func() (int, error) { return a.WriteTo([]byte("WriteTo"), b.LocalAddr()) },
			func() (int, error) { return a.WriteToUDP([]byte("WriteToUDP"), udpAddr(b)) },
			func() (int, error) { return a.WriteToUDPAddrPort([]byte("AddrPort"), addrPortOf(b)) },
			func() (int, error) {
				n, oobn, err := a.WriteMsgUDP([]byte("Msg"), nil, udpAddr(b))
				return n + oobn, err
			},
			func() (int, error) {
				n, oobn, err := a.WriteMsgUDPAddrPort([]byte("MsgAddrPort"), nil, addrPortOf(b))
				return n + oobn, err
			},
		}
		reads := []func() (int, string, error){
			func() (int, string, error) {
				n, from, err := b.ReadFrom(p)
				return n, fmt.Sprintf("%T %v", from, from), err
			},
			func() (int, string, error) { n, from, err := b.ReadFromUDP(p); return n, from.String(), err },
			func() (int, string, error) { n, from, err := b.ReadFromUDPAddrPort(p); return n, from.String(), err },
			func() (int, string, error) {
				n, oobn, flags, from, err := b.ReadMsgUDP(p, nil)
				return n + oobn + flags, from.String(), err
			},
			func() (int, string, error) {
				n, oobn, flags, from, err := b.ReadMsgUDPAddrPort(p, make([]byte, 100))
				return n + oobn + flags, from.String(), err
			},
		}
		for i, write := range writes {
			for j, read := range reads {
				n, err := write()
				w.tell(fmt.Sprint("write ", i), err, n)
				n, from, err := read()
				w.tell(fmt.Sprint("read ", j), err, n, string(p[:n]), strings.ReplaceAll(from, portOf(a.LocalAddr()), "port"))
			}
			n, err := write()
			w.tell("write", err, n)
			n, err = b.Read(p)
			w.tell("Read", err, n, string(p[:n]))
		}
	}},
	{"empty datagrams", func(w *world, a, b udpSocket) {
		for range 4 {
			n, err := a.WriteTo(nil, b.LocalAddr())
			w.tell("write", err, n)
		}
		a.WriteTo([]byte("last"), b.LocalAddr())
		p := make([]byte, 8)
		n, err := b.Read(p)
		w.tell("Read", err, n)
		n, from, err := b.ReadFrom(p)
		w.tell("ReadFrom", err, n, from.String() == a.LocalAddr().String())
		n, err = b.Read(nil) // takes none
		w.tell("Read(nil)", err, n)
		n, _, err = b.ReadFromUDPAddrPort(nil) // takes one
		w.tell("ReadFromUDPAddrPort(nil)", err, n)
		n, _, _, _, err = b.ReadMsgUDP(nil, nil)
		w.tell("ReadMsgUDP(nil, nil)", err, n)
		n, err = b.Read(p)
		w.tell("Read", err, n)
	}},
	{"truncation", func(w *world, a, b udpSocket) {
		for range 4 {
			a.WriteTo([]byte("long"), b.LocalAddr())
		}
		a.WriteTo([]byte("next"), b.LocalAddr())
		p := make([]byte, 2)
		n, err := b.Read(p)
		w.tell("Read", err, n, string(p))
		n, _, err = b.ReadFrom(p)
		w.tell("ReadFrom", err, n, string(p))
		n, oobn, flags, _, err := b.ReadMsgUDP(p, nil)
		w.tell("ReadMsgUDP", err, n, oobn, flags, string(p))
		n, _, err = b.ReadFrom(nil)
		w.tell("ReadFrom(nil)", err, n)
		n, oobn, flags, _, err = b.ReadMsgUDP(make([]byte, 8), nil)
		w.tell("ReadMsgUDP of what fits", err, n, oobn, flags)
	}},
	{"addresses that do not serve", func(w *world, a, b udpSocket) {
		n, err := a.WriteTo([]byte("x"), &TCPAddr{IP: udpAddr(b).IP, Port: udpAddr(b).Port})
		w.tell("a TCPAddr", err, n)
		n, err = a.WriteTo([]byte("x"), nil)
		w.tell("nil", err, n)
		n, err = a.WriteTo([]byte("x"), (*UDPAddr)(nil))
		w.tell("a nil UDPAddr", err, n)
		n, err = a.WriteToUDP([]byte("x"), nil)
		w.tell("nil", err, n)
		n, err = a.WriteToUDP([]byte("x"), &UDPAddr{IP: IP{1, 2, 3}, Port: 1})
		w.tell("no IP", err, n)
		n, err = a.WriteToUDPAddrPort([]byte("x"), netip.AddrPort{})
		w.note("zero", err, n)
		n, _, err = a.WriteMsgUDP([]byte("x"), nil, nil)
		w.tell("msg nil", err, n)
		n, _, err = a.WriteMsgUDPAddrPort([]byte("x"), nil, netip.AddrPort{})
		w.note("msg zero", err, n)
		n, err = a.Write([]byte("x"))
		w.tell("none", err, n)
		n, err = a.WriteToUDP([]byte("x"), &UDPAddr{Port: udpAddr(b).Port})
		w.tell("no host", err, n)
		for _, ip := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
			to := netip.AddrPortFrom(netip.MustParseAddr(ip), addrPortOf(b).Port())
			n, err = a.WriteToUDPAddrPort([]byte("x"), to)
			w.tell("AddrPort "+ip, err, n)
			n, err = a.WriteToUDP([]byte("x"), stdnet.UDPAddrFromAddrPort(to))
			w.tell("UDPAddr "+ip, err, n)
			n, _, err = a.WriteMsgUDPAddrPort([]byte("x"), nil, to)
			w.tell("msg AddrPort "+ip, err, n)
			n, _, err = a.WriteMsgUDP([]byte("x"), nil, stdnet.UDPAddrFromAddrPort(to))
			w.tell("msg UDPAddr "+ip, err, n)
		}
	}},
	{"too long", func(w *world, a, b udpSocket) {
		p := make([]byte, 1<<16)
		n, err := a.WriteTo(p, b.LocalAddr())
		w.tell("WriteTo", err, n)
		n, _, err = a.WriteMsgUDP(p, nil, udpAddr(b))
		w.tell("WriteMsgUDP", err, n)
		n, err = a.WriteTo(p[:60000], b.LocalAddr())
		w.tell("what fits", err, n)
		n, err = b.Read(p)
		w.tell("read", err, n)
	}},
	{"connected", func(w *world, a, b udpSocket) {
		c, err := w.dialUDP("udp", nil, udpAddr(a))
		w.must(err)
		defer c.Close()
		w.note("addresses", nil, c.RemoteAddr().String() == a.LocalAddr().String(), a.RemoteAddr() == nil, c.LocalAddr().Network(), c.RemoteAddr().Network())
		n, err := c.Write([]byte("hello"))
		w.tell("Write", err, n)
		p := make([]byte, 8)
		n, from, err := a.ReadFrom(p)
		w.tell("read", err, n, from.String() == c.LocalAddr().String())
		n, err = c.WriteTo([]byte("x"), a.LocalAddr())
		w.tell("WriteTo", err, n)
		n, err = c.WriteToUDP([]byte("x"), udpAddr(a))
		w.tell("WriteToUDP", err, n)
		n, err = c.WriteToUDP([]byte("x"), nil)
		w.tell("WriteToUDP nil", err, n)
		n, err = c.WriteToUDP([]byte("x"), &UDPAddr{IP: IP{1, 2, 3}})
		w.tell("WriteToUDP no IP", err, n)
		n, err = c.WriteToUDPAddrPort([]byte("x"), addrPortOf(a))
		w.tell("WriteToUDPAddrPort", err, n)
		n, err = c.WriteToUDPAddrPort([]byte("x"), netip.AddrPort{})
		w.note("WriteToUDPAddrPort zero", err, n, errors.Is(err, ErrWriteToConnected))
		n, _, err = c.WriteMsgUDP([]byte("x"), nil, udpAddr(a))
		w.tell("WriteMsgUDP", err, n)
		n, _, err = c.WriteMsgUDPAddrPort([]byte("x"), nil, addrPortOf(a))
		w.tell("WriteMsgUDPAddrPort", err, n)
		n, _, err = c.WriteMsgUDP([]byte("msg"), nil, nil)
		w.tell("WriteMsgUDP nil", err, n)
		n, _, err = c.WriteMsgUDPAddrPort([]byte("msg2"), nil, netip.AddrPort{})
		w.tell("WriteMsgUDPAddrPort zero", err, n)
		n, err = c.Write(nil)
		w.tell("Write nil", err, n)
		for range 3 {
			n, err = a.Read(p)
			w.tell("read", err, n, string(p[:n]))
		}
		b.WriteTo([]byte("a stranger's"), c.LocalAddr())
		a.WriteTo([]byte("a's"), c.LocalAddr())
		n, from, err = c.ReadFrom(p)
		w.tell("ReadFrom", err, n, string(p[:n]), from.String() == a.LocalAddr().String())
		w.note("Write too long", func() error { _, err := c.Write(make([]byte, 1<<16)); return err }())
	}},
	{"nobody there", func(w *world, a, b udpSocket) {
		c, err := w.dialUDP("udp", nil, udpAddr(a))
		w.must(err)
		defer c.Close()
		w.must(deafen(a))
		p := make([]byte, 8)
		for i, f := range []func() (int, error){
			func() (int, error) { return c.Read(p) },
			func() (int, error) { return c.Write([]byte("x")) },
			func() (int, error) { n, _, err := c.ReadFrom(p); return n, err },
			func() (int, error) { n, _, _, _, err := c.ReadMsgUDP(p, nil); return max(n, 0), err }, // std's is -1
			func() (int, error) { n, _, err := c.WriteMsgUDP(p, nil, nil); return n, err },
		} {
			n, err := refusal(c, f)
			w.tell(fmt.Sprint("then ", i), err, n)
		}
		n, err := b.WriteTo([]byte("x"), a.LocalAddr())
		w.tell("not connected", err, n)
		n, err = b.WriteTo([]byte("x"), a.LocalAddr())
		w.tell("not connected", err, n)
	}},
	{"a refusal while a read waits", func(w *world, a, b udpSocket) {
		c, err := w.dialUDP("udp", nil, udpAddr(a))
		w.must(err)
		defer c.Close()
		w.must(deafen(a))
		wait := w.spawn(func() {
			n, err := c.Read(make([]byte, 8))
			w.tell("read", err, n)
		})
		c.Write([]byte("x"))
		wait()
	}},
	{"deadlines", func(w *world, a, b udpSocket) {
		p := make([]byte, 8)
		w.note("set", a.SetReadDeadline(past()))
		n, _, err := a.ReadFrom(p)
		w.tell("ReadFrom", err, n)
		n, _, _, _, err = a.ReadMsgUDP(p, nil)
		w.tell("ReadMsgUDP", err, n)
		b.WriteTo([]byte("x"), a.LocalAddr())
		n, _, err = a.ReadFrom(p)
		w.tell("ReadFrom with data waiting", err, n)
		w.note("set", a.SetReadDeadline(time.Time{}))
		n, _, err = a.ReadFrom(p)
		w.tell("ReadFrom", err, n)
		w.note("set", a.SetReadDeadline(soon()))
		n, _, err = a.ReadFrom(p)
		w.tell("ReadFrom", err, n)
		w.note("set", a.SetDeadline(time.Time{}))
		wait := w.spawn(func() {
			n, _, err := a.ReadFrom(p)
			w.tell("ReadFrom", err, n)
		})
		a.SetReadDeadline(past())
		wait()
		w.note("set", a.SetWriteDeadline(past()))
		n, err = a.WriteTo([]byte("x"), b.LocalAddr())
		w.tell("WriteTo", err, n)
		n, _, err = a.WriteMsgUDP([]byte("x"), nil, udpAddr(b))
		w.tell("WriteMsgUDP", err, n)
		w.note("set", a.SetDeadline(time.Time{}))
		n, err = a.WriteTo([]byte("x"), b.LocalAddr())
		w.tell("WriteTo", err, n)
	}},
	{"a read that waits", func(w *world, a, b udpSocket) {
		wait := w.spawn(func() {
			p := make([]byte, 8)
			n, from, err := a.ReadFrom(p)
			w.tell("ReadFrom", err, n, string(p[:n]), from.String() == b.LocalAddr().String())
		})
		b.WriteTo([]byte("x"), a.LocalAddr())
		wait()
	}},
	{"close while a read waits", func(w *world, a, b udpSocket) {
		wait := w.spawn(func() {
			n, _, err := a.ReadFrom(make([]byte, 8))
			w.tell("ReadFrom", err, n)
		})
		err := a.Close()
		wait()
		w.note("close", err)
	}},
	{"use after close", func(w *world, a, b udpSocket) {
		w.note("close", a.Close())
		w.note("close again", a.Close())
		p := make([]byte, 8)
		n, err := a.Read(p)
		w.tell("Read", err, n)
		n, _, err = a.ReadFrom(p)
		w.tell("ReadFrom", err, n)
		n, _, _, _, err = a.ReadMsgUDP(p, nil)
		w.tell("ReadMsgUDP", err, n)
		n, err = a.Write(p)
		w.tell("Write", err, n)
		n, err = a.WriteTo(p, b.LocalAddr())
		w.tell("WriteTo", err, n)
		n, err = a.WriteTo(p, nil)
		w.tell("WriteTo nil", err, n)
		n, _, err = a.WriteMsgUDPAddrPort(p, nil, addrPortOf(b))
		w.note("WriteMsgUDPAddrPort", err, n)
		w.note("SetDeadline", a.SetDeadline(past()))
		w.note("SetReadBuffer", a.SetReadBuffer(1<<16))
	}},
	{"options", func(w *world, a, b udpSocket) {
		w.note("SetReadBuffer", a.SetReadBuffer(1<<14))
		w.note("SetWriteBuffer", a.SetWriteBuffer(1<<14))
		w.note("negative", a.SetReadBuffer(-1))
		w.note("SO_BROADCAST", nil, rawOption(w.t, a, unix.SOL_SOCKET, unix.SO_BROADCAST))
		w.note("SO_REUSEADDR", nil, rawOption(w.t, a, unix.SOL_SOCKET, unix.SO_REUSEADDR))
	}},
}

// rawOption asks the kernel about a socket of either net.
func rawOption(t testing.TB, c any, level, name int) (value int) {
	t.Helper()
	fd := -1
	switch c := c.(type) {
	case *UDPConn:
		fd = c.fd.Sysfd()
	case *stdnet.UDPConn:
		raw, _ := c.SyscallConn()
		raw.Control(func(n uintptr) { fd = int(n) })
	}
	value, err := unix.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestUDPAsStd(t *testing.T) {
	for _, at := range [][2]string{{"udp4", "127.0.0.1"}, {"udp", "127.0.0.1"}, {"udp6", "::1"}, {"udp", ""}} {
		for _, test := range onUDP {
			t.Run(at[0]+" "+at[1]+"/"+test.name, func(t *testing.T) {
				needs(t, at[0])
				inBothWorlds(t, func(w *world) {
					a, err := w.listenUDP(at[0], &UDPAddr{IP: stdnet.ParseIP(at[1])})
					w.must(err)
					defer a.Close()
					b, err := w.listenUDP(at[0], &UDPAddr{IP: stdnet.ParseIP(at[1])})
					w.must(err)
					defer b.Close()
					test.do(w, a, b)
				})
			})
		}
	}
}

// hostOf is an address without its port.
func hostOf(a Addr) string {
	if u, ok := a.(*UDPAddr); ok && u != nil {
		return fmt.Sprint(u.IP, " ", len(u.IP), " ", u.Zone, " ", u.Port != 0)
	}
	return fmt.Sprint(a)
}

// TestUDPAddressesAsStd makes sockets on all kinds of addresses.
func TestUDPAddressesAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		taken, err := stdnet.ListenUDP("udp4", &UDPAddr{IP: IP{127, 0, 0, 1}})
		w.must(err)
		defer taken.Close()
		ips := []IP{nil, {127, 0, 0, 1}, stdnet.IPv4(127, 0, 0, 1), stdnet.IPv4zero, stdnet.IPv6loopback, stdnet.IPv6zero, {1, 2, 3}, {192, 0, 2, 1}, {224, 0, 0, 254}}
		for _, network := range []string{"udp", "udp4", "udp6", "tcp", ""} {
			for _, ip := range ips {
				c, err := w.listenUDP(network, &UDPAddr{IP: ip})
				w.tell(fmt.Sprint("listen ", network, ip), err)
				if err == nil {
					w.note("at", nil, hostOf(c.LocalAddr()), c.RemoteAddr(), c.LocalAddr().Network(),
						rawOption(w.t, c, unix.SOL_SOCKET, unix.SO_REUSEADDR))
					w.note("close", c.Close())
					w.tell("close again", c.Close())
				}
				if len(ip) == 3 { // std finds fault with the local address first
					continue
				}
				for _, from := range []*UDPAddr{nil, {}, {IP: IP{127, 0, 0, 1}}, {IP: stdnet.IPv6loopback}} {
					c, err := w.dialUDP(network, from, &UDPAddr{IP: ip, Port: udpAddr(taken).Port})
					w.tell(fmt.Sprint("dial ", network, from, ip), err)
					if err == nil {
						w.note("at", nil, hostOf(c.LocalAddr()), hostOf(c.RemoteAddr()))
						c.Close()
						w.tell("close again", c.Close())
					}
				}
			}
			c, err := w.listenUDP(network, nil)
			w.tell("listen nil "+network, err)
			if err == nil {
				w.note("at", nil, hostOf(c.LocalAddr()))
				c.Close()
			}
			_, err = w.dialUDP(network, nil, nil)
			w.tell("dial nil "+network, err)
			_, err = w.dialUDP(network, &UDPAddr{}, nil)
			w.tell("dial nil from "+network, err)
		}
		_, err = w.listenUDP("udp", udpAddr(taken))
		w.tell("in use", err)
		_, err = w.dialUDP("udp", udpAddr(taken), udpAddr(taken))
		w.tell("in use", err)
	})
}

func TestListenPacketAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, a := range [][2]string{
			{"udp", ":0"}, {"udp4", ":0"}, {"udp6", ":0"}, {"udp", ""},
			{"udp", "127.0.0.1:0"}, {"udp", "[::1]:0"}, {"udp6", "[::1]:0"}, {"udp", "localhost:0"}, {"udp6", "localhost:0"},
			{"udp", "0.0.0.0:0"}, {"udp", "[::]:0"}, {"udp", "127.0.0.1:"}, {"udp", "127.0.0.1:ntp-nonsense"},
			{"udp4", "[::1]:0"}, {"udp6", "127.0.0.1:0"}, {"udp", "127.0.0.1"}, {"udp", "127.0.0.1:99999"},
			{"udp", "name.invalid:0"}, {"udp", "192.0.2.1:0"}, {"udp", "224.0.0.254:0"},
			{"tcp", "127.0.0.1:0"}, {"nonsense", ":0"}, {"", ":0"},
			{"unixgram", "/nonexistent/s"}, {"unixgram", "/" + strings.Repeat("x", 200)},
		} {
			c, err := w.listenPacket(a[0], a[1])
			w.tell("listen "+a[0]+" "+a[1], err, c == nil)
			if err == nil {
				w.note("at", nil, fmt.Sprintf("%T", c.LocalAddr()), hostOf(c.LocalAddr()), c.LocalAddr().Network())
				c.Close()
			}
		}
		path := unixPath(w.t)
		c, err := w.listenPacket("unixgram", path)
		w.tell("unixgram", err)
		_, err = w.listenPacket("unixgram", path)
		w.tell("unixgram again", err)
		w.must(c.Close())
		w.note("its file stays", nil, exists(path))
	})
}

func TestDialPacketAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		path := unixPath(w.t)
		taken, err := stdnet.ListenPacket("unixgram", path)
		w.must(err)
		defer taken.Close()
		for _, a := range [][2]string{
			{"udp", "127.0.0.1:9"}, {"udp4", "127.0.0.1:9"}, {"udp6", "[::1]:9"}, {"udp", "[::1]:9"}, {"udp", ":9"}, {"udp6", ":9"},
			{"udp", "localhost:9"}, {"udp4", "[::1]:9"}, {"udp6", "127.0.0.1:9"}, {"udp", "name.invalid:9"}, {"udp", "127.0.0.1"},
			{"udp", ""}, {"unixgram", path}, {"unixgram", path + "nobody"}, {"unixpacket", path}, {"unixgram", ""}, {"unixpacket", ""},
			{"unix", ""}, {"unixpacket", path + "nobody"},
		} {
			c, err := w.dial(w.ctx, a[0], a[1])
			w.tell("dial "+a[0]+" "+strings.ReplaceAll(a[1], path, "path"), err, c == nil)
			if err == nil {
				w.note("at", nil, hostOf(c.LocalAddr()), strings.ReplaceAll(hostOf(c.RemoteAddr()), path, "path"),
					c.LocalAddr().Network(), c.RemoteAddr().Network())
				c.Close()
				w.tell("close again", c.Close())
			}
		}
	})
}

// needs skips a test of a network that this system does not have.
func needs(t *testing.T, network string) {
	t.Helper()
	if !nettest.TestableNetwork(network) {
		t.Skip("no " + network + " here")
	}
}

// unixPath is a path for a Unix socket, which may have about 100 bytes only.
func unixPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "eddy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir + "/s"
}
