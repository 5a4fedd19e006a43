package net

import (
	"context"
	"fmt"
	"math"
	stdnet "net"
	"net/http/httptrace"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor/core"
)

// These tables give both nets all kinds of addresses, and compare every error and
// every address to the last byte.

func (w *world) dialTCP(network string, from, to *TCPAddr) (Conn, error) {
	if w.isStd() {
		return stdDialTCP(network, from, to)
	}
	return ourDialTCP(w.ctx, network, from, to)
}

func (w *world) listenTCP(network string, a *TCPAddr) (Listener, error) {
	if w.isStd() {
		return made[Listener](stdnet.ListenTCP(network, a))
	}
	return made[Listener](ListenTCP(w.ctx, network, a))
}

func (w *world) listenMulticast(network string, group *UDPAddr) (udpSocket, error) {
	if w.isStd() {
		return made[udpSocket](stdnet.ListenMulticastUDP(network, nil, group))
	}
	return made[udpSocket](ListenMulticastUDP(w.ctx, network, nil, group))
}

// dialerTCP, dialerUDP and dialerUnix are a Dialer's methods that take addresses.

func (w *world) dialerTCP(network string, from, to netip.AddrPort) (Conn, error) {
	if w.isStd() {
		return made[Conn](new(stdnet.Dialer).DialTCP(w.ctx, network, from, to))
	}
	return made[Conn](new(Dialer).DialTCP(w.ctx, network, from, to))
}

func (w *world) dialerUDP(network string, from, to netip.AddrPort) (Conn, error) {
	if w.isStd() {
		return made[Conn](new(stdnet.Dialer).DialUDP(w.ctx, network, from, to))
	}
	return made[Conn](new(Dialer).DialUDP(w.ctx, network, from, to))
}

func (w *world) dialerUnix(network string, from, to *UnixAddr) (Conn, error) {
	if w.isStd() {
		return made[Conn](new(stdnet.Dialer).DialUnix(w.ctx, network, from, to))
	}
	return made[Conn](new(Dialer).DialUnix(w.ctx, network, from, to))
}

// opened notes what has become of an attempt, with its addresses, and ends it.
func (w *world) opened(what string, c any, err error) {
	w.note(what, err)
	if err != nil {
		return
	}
	switch c := c.(type) {
	case Conn:
		w.note("at", nil, exactAddr(c.LocalAddr()), exactAddr(c.RemoteAddr()))
		w.must(c.Close())
	case PacketConn:
		w.note("at", nil, exactAddr(c.LocalAddr()))
		w.must(c.Close())
	case Listener:
		w.note("at", nil, exactAddr(c.Addr()))
		w.must(c.Close())
	}
}

// withAddrs does everything that takes two addresses, or one.
func (w *world) withAddrs(network string, from, to *TCPAddr) {
	as := func(a *TCPAddr) *UDPAddr {
		if a == nil {
			return nil
		}
		return &UDPAddr{IP: a.IP, Port: a.Port, Zone: a.Zone}
	}
	var local Addr
	what := fmt.Sprint(" ", network, " ", varying(fmt.Sprint(from, " ", to)))
	c, err := w.dialTCP("tcp"+network, from, to)
	w.opened("DialTCP"+what, c, err)
	u, err := w.dialUDP("udp"+network, as(from), as(to))
	w.opened("DialUDP"+what, u, err)
	ln, err := w.listenTCP("tcp"+network, from)
	w.opened("ListenTCP"+what, ln, err)
	u, err = w.listenUDP("udp"+network, as(from))
	w.opened("ListenUDP"+what, u, err)
	if to == nil {
		return
	}
	if from != nil {
		local = from
	}
	c, err = w.dialer(Dialer{LocalAddr: local})("tcp"+network, to.String())
	w.opened("Dial tcp"+what, c, err)
	if from != nil {
		local = as(from)
	}
	c, err = w.dialer(Dialer{LocalAddr: local})("udp"+network, to.String())
	w.opened("Dial udp"+what, c, err)
	if 0 < to.Port && to.Port < 65536 {
		return // somebody may listen there
	}
	ln, err = w.listen(w.ctx, "tcp"+network, to.String())
	w.opened("Listen"+what, ln, err)
	p, err := w.listenPacket("udp"+network, to.String())
	w.opened("ListenPacket"+what, p, err)
	ln, err = w.listen(w.ctx, "udp"+network, to.String())
	w.opened("Listen udp"+what, ln, err)
	p, err = w.listenPacket("tcp"+network, to.String())
	w.opened("ListenPacket tcp"+what, p, err)
}

// wrongPorts are no ports. Cut to 16 bits some of them would be.
func wrongPorts(p int) []int {
	return []int{-1, -65536 + p, 65536, 65536 + p, 1<<24 | p, math.MaxInt32}
}

// TestPortsOutOfRangeAsStd: a port that is none reaches nobody.
func TestPortsOutOfRangeAsStd(t *testing.T) {
	lo := IPv4(127, 0, 0, 1)
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	u, err := stdnet.ListenUDP("udp", &UDPAddr{IP: lo})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"", "4", "6"} {
			for i := range wrongPorts(0) {
				for _, ip := range []IP{nil, lo, IPv6loopback} {
					for _, p := range []int{ln.Addr().(*TCPAddr).Port, u.LocalAddr().(*UDPAddr).Port} {
						wrong := &TCPAddr{IP: ip, Port: wrongPorts(p)[i]}
						w.withAddrs(network, nil, wrong)
						w.withAddrs(network, wrong, nil)
						w.withAddrs(network, wrong, &TCPAddr{IP: ip, Port: p})
					}
				}
			}
		}
	})
}

// TestWritesToWrongPortsAsStd has every write that takes an address, from sockets
// of either family, in every state.
func TestWritesToWrongPortsAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, at := range []string{"127.0.0.1", "::1", ""} {
			c, err := w.listenUDP("udp", &UDPAddr{IP: ParseIP(at)})
			w.must(err)
			defer c.Close()
			to := &UDPAddr{IP: udpAddr(c).IP}
			all := func(what string) {
				for _, port := range wrongPorts(udpAddr(c).Port) {
					to.Port = port
					_, err := c.WriteTo([]byte("x"), to)
					w.note(what+" WriteTo", err)
					_, err = c.WriteToUDP([]byte("x"), to)
					w.note(what+" WriteToUDP", err)
					n, oobn, err := c.WriteMsgUDP([]byte("x"), nil, to)
					w.note(what+" WriteMsgUDP", err, n, oobn)
				}
			}
			all("open")
			ip := to.IP
			to.IP = IP{1, 2, 3}
			all("no IP")
			to.IP = ip
			c.SetWriteDeadline(past())
			all("late")
			c.SetWriteDeadline(time.Time{})
			c.SetReadDeadline(soon())
			n, _, err := c.ReadFrom(make([]byte, 1))
			w.note("nothing came", err, n)
			c.Close()
			all("closed")
			d, err := w.dialUDP("udp", nil, udpAddr(c))
			w.must(err)
			defer d.Close()
			c = d
			all("connected")
		}
	})
}

// TestMalformedIPsAsStd gives slices of all lengths for IPs.
func TestMalformedIPsAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"", "4", "6"} {
			for _, n := range []int{0, 1, 3, 5, 15, 17} {
				bad := &TCPAddr{IP: make(IP, n), Port: 65536}
				for i := range bad.IP {
					bad.IP[i] = byte(i)
				}
				w.withAddrs(network, nil, bad)
				w.withAddrs(network, bad, nil)
				w.withAddrs(network, bad, bad)
				w.withAddrs(network, bad, &TCPAddr{IP: IPv6loopback, Port: -1})
				w.withAddrs(network, &TCPAddr{IP: IPv4(127, 0, 0, 1), Port: -1}, bad)
				bad = &TCPAddr{IP: bad.IP, Zone: "zone"}
				w.withAddrs(network, bad, &TCPAddr{IP: IPv4(127, 0, 0, 1)})
			}
		}
	})
}

// TestPortZeroAsStd: nobody has port 0, but a datagram socket can be connected to
// it.
func TestPortZeroAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"", "4", "6"} {
			for _, ip := range []IP{nil, IPv4(127, 0, 0, 1), {127, 0, 0, 1}, IPv6loopback, IPv6zero, stdnet.IPv4zero} {
				to := &TCPAddr{IP: ip}
				w.withAddrs(network, nil, to)
				w.withAddrs(network, to, to)
				c, err := w.dialUDP("udp"+network, nil, &UDPAddr{IP: ip})
				if err != nil {
					continue
				}
				_, err = c.Write([]byte("x"))
				w.note("Write", err)
				_, err = c.WriteTo([]byte("x"), c.LocalAddr())
				w.note("WriteTo", err)
				c.SetReadDeadline(past())
				_, err = c.Read(make([]byte, 1))
				w.note("Read", err)
				c.Close()
				_, err = c.Read(make([]byte, 1))
				w.note("Read after close", err)
			}
		}
	})
}

// TestDialersAddressesAsStd has the methods whose addresses have no pointers.
func TestDialersAddressesAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		path := unixPath(w.t)
		ln, err := stdnet.Listen("unix", path)
		w.must(err)
		defer ln.Close()
		to := netip.MustParseAddrPort(refused(w.t))
		for _, network := range []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", ""} {
			for _, from := range []string{"", "127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"} {
				local, _ := netip.ParseAddrPort(from)
				for _, to := range []netip.AddrPort{{}, to, netip.MustParseAddrPort("[::1]:0")} {
					c, err := w.dialerTCP(network, local, to)
					w.opened("DialTCP "+network+from, c, err)
					c, err = w.dialerUDP(network, local, to)
					w.opened("DialUDP "+network+from, c, err)
				}
			}
			c, err := w.dialerUnix(network, nil, nil)
			w.opened("DialUnix nothing", c, err)
			c, err = w.dialerUnix(network, nil, &UnixAddr{Name: path, Net: network})
			w.opened("DialUnix", c, err)
		}
	})
}

// TestListenAddressesAsStd listens on every kind of address, on networks that fit
// it and others.
func TestListenAddressesAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "unixgram", "unixpacket", "nonsense", ""} {
			for _, a := range []string{":0", "127.0.0.1:0", "[::1]:0", "[::]:0", "0.0.0.0:0", "[::ffff:127.0.0.1]:0",
				"localhost:0", "name.invalid:0", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "[::1%lo]:0", "192.0.2.1:0", ":domain"} {
				if strings.HasPrefix(network, "unix") {
					a = unixPath(w.t) + "/" + a // in no directory
				}
				if network != "unixgram" { // of which std makes a socket that does not listen
					ln, err := w.listen(w.ctx, network, a)
					w.opened("Listen "+network+varying(a), ln, err)
				}
				if network == "unix" || network == "unixpacket" {
					continue // of which std makes a stream socket that listens, and is no use
				}
				p, err := w.listenPacket(network, a)
				w.opened("ListenPacket "+network+varying(a), p, err)
			}
		}
		ln, err := w.listenTCP("tcp", nil)
		w.opened("ListenTCP nil", ln, err)
		ln, err = w.listenTCP("udp", nil)
		w.opened("ListenTCP udp", ln, err)
		for _, group := range []*UDPAddr{nil, {}, {IP: IPv4(224, 0, 0, 254), Port: 65536}, {IP: IPv4(224, 0, 0, 254), Port: -1}, {IP: IP{1, 2, 3}}} {
			u, err := w.listenMulticast("udp", group)
			w.opened(fmt.Sprint("ListenMulticastUDP ", group), u, err)
		}
	})
}

// resolved are the addresses that the tests of resolving ask for.
var resolved = []string{"127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1", ":1", "", "localhost:1", "127.0.0.1:domain", "[fe80::1%lo]:1",
	"127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "name.invalid:1", "[::1", "0.0.0.0:0", "[::]:0", "127.0.0.1:no-such-service", "127.0.0.1:+1", "127.0.0.1:"}

func TestResolveAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, last := range []string{"", "4", "6"} {
			for _, a := range resolved {
				tcp, err := stdnet.ResolveTCPAddr("tcp"+last, a)
				if !w.isStd() {
					tcp, err = ResolveTCPAddr(w.ctx, "tcp"+last, a)
				}
				w.note("tcp"+last+" "+a, err, exactAddr(given(tcp)))
				udp, err := stdnet.ResolveUDPAddr("udp"+last, a)
				if !w.isStd() {
					udp, err = ResolveUDPAddr(w.ctx, "udp"+last, a)
				}
				w.note("udp"+last+" "+a, err, exactAddr(given(udp)))
			}
		}
		for _, network := range []string{"", "unix", "nonsense"} {
			tcp, err := stdnet.ResolveTCPAddr(network, "127.0.0.1:1")
			udp, err2 := stdnet.ResolveUDPAddr(network, "127.0.0.1:1")
			if !w.isStd() {
				tcp, err = ResolveTCPAddr(w.ctx, network, "127.0.0.1:1")
				udp, err2 = ResolveUDPAddr(w.ctx, network, "127.0.0.1:1")
			}
			w.note(network, err, exactAddr(given(tcp)))
			w.note(network, err2, exactAddr(given(udp)))
		}
	})
}

// TestFileListenersFileAsStd: the file of a socket stays when a listener that was
// made of it is closed, or goes if that is wanted.
func TestFileListenersFileAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"unix", "unixpacket"} {
			for _, sets := range [][]bool{nil, {true}, {true, false}, {false, true}} {
				path := unixPath(w.t)
				first, err := w.listen(w.ctx, network, path)
				w.must(err)
				first.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
				f, err := first.(interface{ File() (*os.File, error) }).File()
				w.must(err)
				second, err := w.fileListener(f)
				w.must(err)
				w.must(f.Close())
				w.must(first.Close())
				for _, unlink := range sets {
					second.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(unlink)
				}
				w.note("close", second.Close())
				w.note("there", nil, network, sets, exists(path))
			}
		}
	})
}

// TestTraceAsStd compares what the hooks of httptrace are called for.
func TestTraceAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		defer ln.Close()
		u, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
		w.must(err)
		defer u.Close()
		u.Close() // nobody answers there
		port := portOf(ln.Addr())
		for _, a := range [][2]string{
			{"tcp", "127.0.0.1:" + port}, {"tcp", ":" + port}, {"tcp", "localhost:" + port}, {"tcp4", "localhost:" + port},
			{"tcp", refused(w.t)}, {"udp", "127.0.0.1:9"}, {"unix", "/nonexistent/s"}, {"unix", ""}, {"tcp", "127.0.0.1:65536"}, {"tcp", "name.invalid:80"}, {"nonsense", "x"},
		} {
			for _, unused := range []bool{false, true} {
				trace, events := tracing()
				if unused {
					trace.ConnectStart, trace.DNSDone = nil, nil
				}
				ctx := httptrace.WithClientTrace(w.ctx, trace)
				c, err := w.dial(ctx, a[0], a[1])
				w.note(a[0]+" "+varying(a[1]), err)
				if err == nil {
					c.Close()
				}
				w.note("traced", nil, events())
			}
		}
		trace, events := tracing()
		_, err = w.dialResolving(httptrace.WithClientTrace(w.ctx, trace), &Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (Conn, error) {
			return new(stdnet.Dialer).DialContext(ctx, "udp", u.LocalAddr().String())
		}})
		w.note("by a resolver's own sockets", nil, err != nil, events())
	})
}

func (w *world) dialResolving(ctx context.Context, r *Resolver) (Conn, error) {
	if w.isStd() {
		return (&stdnet.Dialer{Resolver: r}).DialContext(ctx, "tcp", "name.invalid.:80")
	}
	return (&Dialer{Resolver: r}).DialContext(ctx, "tcp", "name.invalid.:80")
}

// tracing returns hooks and what they were called for. Attempts that are made at
// the same time come in any order.
func tracing() (*httptrace.ClientTrace, func() []string) {
	var mu sync.Mutex
	var events []string
	note := func(what ...any) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, varying(fmt.Sprint(what...)))
	}
	return &httptrace.ClientTrace{
			ConnectStart: func(network, addr string) { note("start ", network, " ", addr) },
			ConnectDone:  func(network, addr string, err error) { note("done ", network, " ", addr, " ", exactly(err)) },
			DNSStart:     func(i httptrace.DNSStartInfo) { note("DNS start ", i.Host) },
			DNSDone: func(i httptrace.DNSDoneInfo) {
				if i.Err != nil {
					note("DNS done ", i.Coalesced, len(i.Addrs), exactly(i.Err))
					return
				}
				note("DNS done ", i.Coalesced, i.Addrs)
			},
		}, func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(events)
		}
}

// TestTraceOnItsGoroutine: hooks that a goroutine passes are called on it, and one
// that ends it does no harm to the loop.
func TestTraceOnItsGoroutine(t *testing.T) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	run(t, func(ctx context.Context) {
		for _, at := range []string{"nowhere", "start", "done"} {
			outside(t, ctx, func() error {
				returned := make(chan bool, 1)
				go func() {
					whole := false
					defer func() { returned <- whole }()
					leave := func(where string) {
						if core.OnLoop(ctx) {
							t.Error("a hook is called on the loop")
						}
						if where == at {
							runtime.Goexit()
						}
					}
					trace := &httptrace.ClientTrace{
						ConnectStart: func(string, string) { leave("start") },
						ConnectDone:  func(string, string, error) { leave("done") },
					}
					c, err := Dial(httptrace.WithClientTrace(ctx, trace), "tcp", ln.Addr().String())
					if err != nil {
						t.Error(err)
						return
					}
					c.Close()
					whole = true
				}()
				if whole := <-returned; whole != (at == "nowhere") {
					t.Errorf("leaving at %s: it came to its end: %v", at, whole)
				}
				return nil
			})
		}
	})
}

// TestTraceOfOwnNetwork: the names of a loop's own network are looked up, too.
func TestTraceOfOwnNetwork(t *testing.T) {
	onHosts(t, []attempt{{ip: v4a}}, func(ctx context.Context, h *hosts) {
		trace, events := tracing()
		c, err := Dial(httptrace.WithClientTrace(ctx, trace), "tcp", "host:80")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		want := fmt.Sprint([]string{"DNS start host", "DNS done false [{" + v4a + " }]", "start tcp " + v4a + ":80", "done tcp " + v4a + ":80 ok"})
		if got := fmt.Sprint(events()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
