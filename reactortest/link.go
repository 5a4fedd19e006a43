package reactortest

import (
	"time"
)

// A Link describes one direction between two hosts. The zero Link has no delay, loses
// nothing and has unlimited bandwidth. Probabilities are from 0 to 1.
type Link struct {
	// Latency is the shortest time that a packet takes. Jitter is the most that is
	// added to it at random. Jitter can reorder datagrams, but not a connection's
	// data.
	Latency, Jitter time.Duration
	// Bandwidth is in bytes per second. 0 means unlimited.
	Bandwidth int
	// Loss is the probability that a packet is dropped. A connection's data is
	// retransmitted after 200 ms, and then after twice as long each time.
	Loss float64
	// Duplicate is the probability that a datagram arrives twice.
	Duplicate float64
	// Reorder is the probability that a datagram takes ten times as long, so that
	// later ones overtake it.
	Reorder float64
	// Reset is the probability, for each packet of a connection, that both ends find
	// the connection reset.
	Reset float64
}

// A route is a direction between two hosts.
type route struct{ from, to *Host }

// A path is the state of a route.
type path struct {
	route
	link                            Link
	loss, duplicate, reorder, reset uint64 // in parts of 65536
	cut                             bool
	busyUntil                       int64 // when all that was sent has left the sender
}

// SetLinks sets the link between all hosts, in both directions. A host's link to
// itself is always perfect.
func (n *Network) SetLinks(l Link) {
	n.link = l
	for _, p := range n.routes {
		p.set(l)
	}
}

// SetLink sets the link between two hosts, in both directions.
func (n *Network) SetLink(a, b *Host, l Link) {
	n.path(a, b).set(l)
	n.path(b, a).set(l)
}

// SetLinkOneWay sets the link from one host to another.
func (n *Network) SetLinkOneWay(from, to *Host, l Link) { n.path(from, to).set(l) }

// path returns the path from one host to another.
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

func (p *path) set(l Link) {
	if p.from == p.to {
		return
	}
	p.link = l
	p.loss, p.duplicate, p.reorder, p.reset = parts(l.Loss), parts(l.Duplicate), parts(l.Reorder), parts(l.Reset)
}

// isLoopback reports whether the path stays on one host. Packets arrive at once.
func (p *path) isLoopback() bool { return p.from == p.to }

// delay returns how long a packet that is sent now takes. It includes the wait for the
// packets ahead of it.
func (p *path) delay(sim *simulator, size int) time.Duration {
	d := p.link.Latency
	if p.link.Jitter > 0 {
		d += time.Duration(sim.faults.choose(uint64(p.link.Jitter) + 1))
	}
	if p.link.Bandwidth > 0 {
		p.busyUntil = max(p.busyUntil, sim.time()) + int64(size)*int64(time.Second)/int64(p.link.Bandwidth)
		d += time.Duration(p.busyUntil - sim.time())
	}
	return d
}
