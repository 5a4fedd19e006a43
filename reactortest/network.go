package reactortest

import (
	"context"
	"fmt"
	stdnet "net"
	"net/netip"
	"slices"
	"time"
)

// A Network is named hosts and the links between them. Its methods may be called
// by tasks and callbacks.
type Network struct {
	world  *world
	ctx    context.Context // what hosts' tasks descend from
	hosts  []*Host         // in the order in which they were first named
	byName map[string]*Host
	byAddr map[netip.Addr]*Host
	routes map[route]*path
	link   Link
}

// A Link is how one host reaches another, in one direction. The zero Link has no
// delay, loses nothing and takes any amount at once. The probabilities are from
// 0 to 1.
type Link struct {
	// Latency is how long a packet takes at least, and Jitter how much longer at
	// most. Datagrams that take differently long come in another order;
	// a connection's data does not.
	Latency, Jitter time.Duration
	// Bandwidth is in bytes a second; 0 means any.
	Bandwidth int
	// Loss is of a packet. A datagram is gone; a connection's data is sent again,
	// after 200 ms, and then after twice as long each time.
	Loss float64
	// Duplicate is of a datagram, and Delay, of a datagram too, that it takes ten
	// times as long.
	Duplicate, Delay float64
	// Reset is of a packet of a connection: both ends find it reset.
	Reset float64
}

// route is a direction between two hosts.
type route struct{ from, to *Host }

// path is the state of a route.
type path struct {
	route
	link                          Link
	loss, duplicate, delay, reset uint64 // in parts of 65536
	cut                           bool
	busy                          int64 // until when it sends what it was given
}

func (n *Network) init(w *world) {
	n.world = w
	n.byName = make(map[string]*Host)
	n.byAddr = make(map[netip.Addr]*Host)
	n.routes = make(map[route]*path)
}

// Host returns the host of a name. One that was not named before is made, with
// an address of its own in 10.0.0.0/8, and has no program until Start.
func (n *Network) Host(name string) *Host {
	if h := n.byName[name]; h != nil {
		return h
	}
	i := len(n.hosts) + 1
	h := &Host{
		net: n, name: name, index: i,
		addr:  netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
		addr6: netip.AddrFrom16([16]byte{0: 0xfd, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}),
	}
	h.boot = newBoot(h)
	n.hosts = append(n.hosts, h)
	n.byName[name], n.byAddr[h.addr], n.byAddr[h.addr6] = h, h, h
	return h
}

// Hosts returns all hosts, in the order in which they were first named. The first
// is "test", on which the function is at home that was given to [Simulate].
func (n *Network) Hosts() []*Host { return slices.Clone(n.hosts) }

// SetLinks makes l the link of every two hosts, in both directions, save of a
// host to itself.
func (n *Network) SetLinks(l Link) {
	n.link = l
	for _, p := range n.routes {
		p.set(l)
	}
}

// SetLink makes l the link between two hosts, in both directions.
func (n *Network) SetLink(a, b *Host, l Link) {
	n.path(a, b).set(l)
	n.path(b, a).set(l)
}

// SetLinkOneWay makes l the link from a host to another.
func (n *Network) SetLinkOneWay(from, to *Host, l Link) { n.path(from, to).set(l) }

// Partition cuts the hosts given off from all others: what is sent between the
// two sides is lost, until Heal. Connections stay, and stand still.
func (n *Network) Partition(side ...*Host) {
	n.world.note(nil, "partition: %s from the others", names(side))
	for _, h := range side {
		for _, o := range n.hosts {
			if !slices.Contains(side, o) {
				n.path(h, o).cut = true
				n.path(o, h).cut = true
			}
		}
	}
	n.lonely()
}

// Cut cuts the way from a host to another, and not the way back.
func (n *Network) Cut(from, to *Host) {
	if from == to {
		return
	}
	n.world.note(nil, "cut: from %s to %s", from.name, to.name)
	n.path(from, to).cut = true
	n.lonely()
}

// lonely lets connections know in time that are cut now.
func (n *Network) lonely() {
	for _, s := range n.world.files {
		if s != nil && s.peer != nil && s.isCutOff() {
			s.lonely()
		}
	}
}

// Heal mends all that Partition and Cut did.
func (n *Network) Heal() {
	n.world.note(nil, "heal")
	for _, p := range n.routes {
		p.cut = false
	}
}

// Reset resets every connection between two hosts, as a middlebox does that has
// lost its memory.
func (n *Network) Reset(a, b *Host) {
	n.world.note(nil, "reset: connections of %s and %s", a.name, b.name)
	for _, s := range n.world.files {
		if s != nil && s.peer != nil && s.home.host == a && s.peer.home.host == b {
			s.fail(econnreset)
			s.peer.fail(econnreset)
		}
	}
}

func names(hosts []*Host) string {
	var s []string
	for _, h := range hosts {
		s = append(s, h.name)
	}
	return fmt.Sprint(s)
}

func (p *path) set(l Link) {
	if p.from == p.to {
		return
	}
	p.link = l
	p.loss, p.duplicate, p.delay, p.reset = parts(l.Loss), parts(l.Duplicate), parts(l.Delay), parts(l.Reset)
}

// path returns the way from a host to another.
func (n *Network) path(from, to *Host) *path {
	r := route{from, to}
	p := n.routes[r]
	if p == nil {
		p = &path{route: r}
		p.set(n.link)
		n.routes[r] = p
	}
	return p
}

// direct says whether what is sent is there at once: on the host itself.
func (p *path) direct() bool { return p.from == p.to }

// delayOf is how long a packet takes that is sent now, the time included that it
// waits for those before it.
func (p *path) delayOf(w *world, size int) time.Duration {
	d := p.link.Latency
	if p.link.Jitter > 0 {
		d += time.Duration(w.dice.choose(uint64(p.link.Jitter) + 1))
	}
	if p.link.Bandwidth > 0 {
		p.busy = max(p.busy, w.time()) + int64(size)*int64(time.Second)/int64(p.link.Bandwidth)
		d += time.Duration(p.busy - w.time())
	}
	return d
}

// LookupHost finds a host by its name, as [github.com/eddyio/eddy/net] asks for it.
func (n *Network) lookup(home *Host, name string) ([]netip.Addr, error) {
	if name == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	if h := n.byName[name]; h != nil {
		return []netip.Addr{h.addr}, nil
	}
	return nil, &stdnet.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// reach finds the host of an address, as seen from another.
func (n *Network) reach(from *Host, a netip.Addr) *Host {
	if a.IsLoopback() || a.IsUnspecified() {
		return from
	}
	return n.byAddr[a]
}
