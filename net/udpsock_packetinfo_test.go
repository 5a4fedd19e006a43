package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
)

func loopbackIndex(t testing.TB) int {
	t.Helper()
	all, err := stdnet.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&stdnet.FlagLoopback != 0 {
			return i.Index
		}
	}
	t.Skip("no loopback interface")
	return 0
}

// TestPacketInfo: a server bound to all addresses learns which it was asked at,
// and answers from there.
func TestPacketInfo(t *testing.T) {
	for _, test := range []struct{ network, host string }{
		{"udp4", "127.0.0.1"}, {"udp4", "127.0.0.2"}, {"udp6", "::1"}, {"udp", "127.0.0.1"}, {"udp", "127.0.0.2"}, {"udp", "::1"},
	} {
		t.Run(test.network+" "+test.host, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				server, err := ListenUDP(ctx, test.network, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer server.Close()
				if err := server.SetPacketInfo(true); err != nil {
					t.Fatal(err)
				}
				at := netip.MustParseAddr(test.host)
				to := netip.AddrPortFrom(at, addrPortOf(server).Port())
				client, err := DialUDP(ctx, "udp", nil, stdnet.UDPAddrFromAddrPort(to))
				if err != nil {
					t.Skip(err) // there are systems without 127.0.0.2
				}
				defer client.Close()
				p, oob := make([]byte, 8), make([]byte, PacketInfoSpace)
				client.Write([]byte("hello"))
				n, oobn, flags, from, err := server.ReadMsgUDPAddrPort(p, oob)
				if err != nil || n != 5 || flags&unix.MSG_CTRUNC != 0 {
					t.Fatalf("read %d, flags %x, %v", n, flags, err)
				}
				info, ok := ParsePacketInfo(oob[:oobn])
				if !ok || info.Dst.Unmap() != at || info.Src != info.Dst || info.IfIndex != loopbackIndex(t) {
					t.Errorf("packet info %+v, %v; want %v by %d", info, ok, at, loopbackIndex(t))
				}
				// The client is connected, so it hears only an answer from there.
				// By default it would come from the first of the loopback's addresses.
				reply := info.Reply()
				if reply != (PacketInfo{Src: info.Src}) {
					t.Errorf("reply %+v", reply)
				}
				oob = reply.AppendControl(oob[:0])
				if n, oobn, err := server.WriteMsgUDPAddrPort(p[:n], oob, from); n != 5 || oobn != len(oob) || err != nil {
					t.Fatalf("write %d, %d, %v", n, oobn, err)
				}
				if n, err := client.Read(p); n != 5 || err != nil {
					t.Errorf("the answer: %d, %v", n, err)
				}
				if err := server.SetPacketInfo(false); err != nil {
					t.Error(err)
				}
				client.Write([]byte("again"))
				if _, oobn, _, _, err := server.ReadMsgUDPAddrPort(p, make([]byte, PacketInfoSpace)); oobn != 0 || err != nil {
					t.Errorf("after SetPacketInfo(false) %d bytes come, %v", oobn, err)
				}
			})
		})
	}
}

// TestPacketInfoInBatches answers two clients that asked at different addresses.
func TestPacketInfoInBatches(t *testing.T) {
	run(t, func(ctx context.Context) {
		server, err := ListenUDP(ctx, "udp4", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		if err := server.SetPacketInfo(true); err != nil {
			t.Fatal(err)
		}
		var clients []*UDPConn
		for _, ip := range []IP{{127, 0, 0, 1}, {127, 0, 0, 2}, {127, 0, 0, 3}} {
			c, err := DialUDP(ctx, "udp4", nil, &UDPAddr{IP: ip, Port: udpAddr(server).Port})
			if err != nil {
				t.Skip(err)
			}
			defer c.Close()
			clients = append(clients, c)
			c.Write([]byte(ip.String()))
		}
		ms := make([]Message, 5)
		for i := range ms {
			ms[i] = Message{Data: make([]byte, 16), Control: make([]byte, PacketInfoSpace)}
		}
		n, err := server.ReadBatch(ms)
		if err != nil || n != len(clients) {
			t.Fatalf("ReadBatch: %d, %v", n, err)
		}
		for i := range ms[:n] {
			m := &ms[i]
			info, _ := ParsePacketInfo(m.Control[:m.NControl])
			if m.Data = m.Data[:m.N]; string(m.Data) != info.Dst.String() {
				t.Errorf("sent to %s, received at %v", m.Data, info.Dst)
			}
			m.Control = info.Reply().AppendControl(m.Control[:0])
		}
		if n, err := server.WriteBatch(ms[:n]); n != len(clients) || err != nil {
			t.Fatalf("WriteBatch: %d, %v", n, err)
		}
		for _, c := range clients {
			p := make([]byte, 16)
			if n, err := c.Read(p); err != nil || string(p[:n]) != c.RemoteAddr().(*UDPAddr).IP.String() {
				t.Errorf("%v answered %q, %v", c.RemoteAddr(), p[:n], err)
			}
		}
	})
}

func TestPacketInfoControl(t *testing.T) {
	if b := (PacketInfo{}).AppendControl(nil); b != nil {
		t.Errorf("of nothing: % x", b)
	}
	for _, info := range []PacketInfo{
		{Src: netip.MustParseAddr("192.0.2.1")}, {Src: netip.MustParseAddr("2001:db8::1"), IfIndex: 7}, {Src: netip.MustParseAddr("::ffff:192.0.2.1")},
	} {
		b := info.AppendControl([]byte("before"))
		if string(b[:6]) != "before" || len(b)-6 > PacketInfoSpace {
			t.Errorf("%+v: %q", info, b)
		}
		// Not at an odd place: the kernel aligns control messages.
		got, ok := ParsePacketInfo(append([]byte(nil), b[6:]...))
		if info.IfIndex != got.IfIndex || info.Src.Is6() && got.Src != info.Src || !ok {
			t.Errorf("%+v comes back as %+v, %v", info, got, ok)
		}
	}
	ll := netip.MustParseAddr("fe80::1")
	if got, want := (PacketInfo{Dst: ll, Src: ll, IfIndex: 3}).Reply(), (PacketInfo{Src: ll, IfIndex: 3}); got != want {
		t.Errorf("the reply from a link-local address: %+v", got)
	}
	for _, junk := range [][]byte{nil, {1}, make([]byte, 7), make([]byte, 64), unix.UnixRights(1)} {
		if info, ok := ParsePacketInfo(junk); ok {
			t.Errorf("% x is %+v", junk, info)
		}
	}
}

// TestMulticastAsStd joins groups, and receives what other sockets send there.
func TestMulticastAsStd(t *testing.T) {
	var lo *stdnet.Interface
	lo, err := stdnet.InterfaceByIndex(loopbackIndex(t))
	if err != nil {
		t.Fatal(err)
	}
	inBothWorlds(t, func(w *world) {
		for _, ifi := range []*stdnet.Interface{nil, lo} {
			for _, ip := range []IP{{224, 0, 0, 254}, stdnet.ParseIP("ff02::114"), {127, 0, 0, 1}, stdnet.IPv6loopback, nil} {
				for _, network := range []string{"udp", "udp4", "udp6", "tcp"} {
					var c udpSocket
					var err error
					if w.ours() {
						c, err = made[udpSocket](ListenMulticastUDP(w.ctx, network, ifi, &UDPAddr{IP: ip}))
					} else {
						c, err = made[udpSocket](stdnet.ListenMulticastUDP(network, ifi, &UDPAddr{IP: ip}))
					}
					w.tell("listen "+network+" "+ip.String(), err)
					if err != nil {
						continue
					}
					w.note("at", nil, hostOf(c.LocalAddr()), rawOption(w.t, c, unix.SOL_SOCKET, unix.SO_REUSEADDR))
					c.Close()
				}
			}
		}
	})
}

func TestMulticastArrives(t *testing.T) {
	run(t, func(ctx context.Context) {
		lo, err := stdnet.InterfaceByIndex(loopbackIndex(t))
		if err != nil {
			t.Fatal(err)
		}
		group := IP{224, 0, 0, 254}
		a, err := ListenMulticastUDP(ctx, "udp4", lo, &UDPAddr{IP: group})
		if err != nil {
			t.Skip(err)
		}
		defer a.Close()
		port := udpAddr(a).Port
		b, err := ListenMulticastUDP(ctx, "udp4", lo, &UDPAddr{IP: group, Port: port}) // the same
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		b.SetPacketInfo(true)
		from := listenLoopback(t, ctx, "udp4")
		if err := errors.Join(
			unix.SetsockoptInet4Addr(from.fd.Sysfd(), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, [4]byte{127, 0, 0, 1}),
			unix.SetsockoptInt(from.fd.Sysfd(), unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := from.WriteTo([]byte("all"), &UDPAddr{IP: group, Port: port}); err != nil {
			t.Skip(err)
		}
		err = reactor.Timeout(ctx, patience/4, func(context.Context) error {
			p, oob := make([]byte, 8), make([]byte, PacketInfoSpace)
			if n, _, err := a.ReadFrom(p); n != 3 || err != nil {
				return err
			}
			_, oobn, _, _, err := b.ReadMsgUDPAddrPort(p, oob)
			info, ok := ParsePacketInfo(oob[:oobn])
			if err == nil && (!ok || info.Dst != netip.AddrFrom4([4]byte(group)) || info.Src.IsMulticast() || info.IfIndex != lo.Index) {
				t.Errorf("packet info %+v, %v", info, ok)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
