package reactortest

import (
	"context"
	stdnet "net"
	"net/netip"
	"slices"
)

// A Network is a set of named hosts and the links between them. Tasks and callbacks
// may call its methods.
type Network struct {
	sim    *simulator
	ctx    context.Context // the parent of the hosts' tasks
	hosts  []*Host         // in the order in which they were first named
	byName map[string]*Host
	byAddr map[netip.Addr]*Host
	routes map[route]*path
	link   Link
}

func (n *Network) init(sim *simulator) {
	n.sim = sim
	n.byName = make(map[string]*Host)
	n.byAddr = make(map[netip.Addr]*Host)
	n.routes = make(map[route]*path)
}

// Host returns the host with a name. The first call with a name makes the host, with
// an address in 10.0.0.0/8. It has no program until Start.
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
	h.proc = newProcess(h)
	n.hosts = append(n.hosts, h)
	n.byName[name], n.byAddr[h.addr], n.byAddr[h.addr6] = h, h, h
	return h
}

// Hosts returns all hosts, in the order in which they were first named. The first is
// "test", the host of the function that was given to [Simulate].
func (n *Network) Hosts() []*Host { return slices.Clone(n.hosts) }

// lookup returns the addresses of a host.
func (n *Network) lookup(home *Host, name string) ([]netip.Addr, error) {
	if name == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	if h := n.byName[name]; h != nil {
		return []netip.Addr{h.addr}, nil
	}
	return nil, &stdnet.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// reach returns the host that has an address, as seen from another host, or nil.
func (n *Network) reach(from *Host, a netip.Addr) *Host {
	if a.IsLoopback() || a.IsUnspecified() {
		return from
	}
	return n.byAddr[a]
}
