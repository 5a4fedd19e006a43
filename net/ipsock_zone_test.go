package net

import (
	"context"
	stdnet "net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

func TestZones(t *testing.T) {
	index := loopbackIndex(t)
	ifi, err := stdnet.InterfaceByIndex(index)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		if got := zoneName(uint32(index)); got != ifi.Name {
			t.Errorf("zone %d is %q, want %q", index, got, ifi.Name)
		}
		if got := zoneID(ifi.Name); got != uint32(index) {
			t.Errorf("zone %q is %d, want %d", ifi.Name, got, index)
		}
		if got := zoneName(1 << 30); got != strconv.Itoa(1<<30) {
			t.Errorf("the zone of no interface is %q", got)
		}
		if got := zoneID("77777"); got != 77777 {
			t.Errorf("zone 77777 is %d", got)
		}
	}
	if zoneName(0) != "" || zoneID("") != 0 {
		t.Error("there is a zone where none is")
	}
}

// linkLocal is a kernel whose sockets always have a datagram from a link-local
// address, and which records the destinations of datagrams.
type linkLocal struct {
	sockets.System
	from netip.AddrPort
	sent []netip.AddrPort
}

func (k *linkLocal) Receive(_ int, ms []sockets.Message, _ int) (int, syscall.Errno) {
	ms[0].Addr, ms[0].N = k.from, 0
	return 1, 0
}

func (k *linkLocal) Send(_ int, ms []sockets.Message, _ int) (int, syscall.Errno) {
	for _, m := range ms {
		k.sent = append(k.sent, m.Addr)
	}
	return len(ms), 0
}

// TestZonesOfDatagrams: the user sees the names of interfaces, the kernel their
// indexes.
func TestZonesOfDatagrams(t *testing.T) {
	index := loopbackIndex(t)
	ip := netip.MustParseAddr("fe80::1")
	numbered := netip.AddrPortFrom(ip.WithZone(strconv.Itoa(index)), 7)
	named := netip.AddrPortFrom(ip.WithZone(zoneName(uint32(index))), 7)
	k := &linkLocal{from: numbered}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		c := listenLoopback(t, ctx, "udp6")
		c.fd.Core().ReadBlocked()
		other := listenLoopback(t, ctx, "udp6") // makes c readable
		sockets.System{}.Send(other.fd.Sysfd(), []sockets.Message{{Addr: addrPortOf(c)}}, 0)
		if _, from, err := c.ReadFromUDPAddrPort(nil); from != named || err != nil {
			t.Errorf("ReadFromUDPAddrPort: %v, %v; want %v", from, err, named)
		}
		if _, from, err := c.ReadFromUDP(nil); from.String() != named.String() || err != nil {
			t.Errorf("ReadFromUDP: %v, %v; want %v", from, err, named)
		}
		ms := []Message{{}, {Addr: numbered}}
		if _, err := c.ReadBatch(ms[:1]); ms[0].Addr != named || err != nil {
			t.Errorf("ReadBatch: %v, %v; want %v", ms[0].Addr, err, named)
		}
		c.WriteToUDPAddrPort(nil, named)
		c.WriteToUDP(nil, stdnet.UDPAddrFromAddrPort(named))
		c.WriteBatch(ms)
		in4 := netip.MustParseAddrPort("192.0.2.1:9") // IPv6 has it too, and some kernels take no other form
		dual, err := ListenUDP(ctx, "udp", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer dual.Close()
		if dual.family == unix.AF_INET6 {
			dual.WriteToUDPAddrPort(nil, in4)
			dual.WriteToUDP(nil, stdnet.UDPAddrFromAddrPort(in4))
			dual.WriteBatch([]Message{{Addr: in4}})
			for _, to := range k.sent[4:] {
				if !to.Addr().Is4In6() || to.Addr().Unmap() != in4.Addr() {
					t.Errorf("a datagram was sent to %v, not %v", to, in4)
				}
			}
			k.sent = k.sent[:4]
		}
		if len(k.sent) != 4 {
			t.Errorf("sent to %v", k.sent)
		}
		for i, to := range k.sent {
			if to != numbered {
				t.Errorf("datagram %d was sent to %v, want %v", i, to, numbered)
			}
		}
		if ms[0].Addr != named {
			t.Errorf("WriteBatch changed the address to %v", ms[0].Addr)
		}
	})
}
