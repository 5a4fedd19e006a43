package reactortest

import (
	"fmt"
	"slices"
)

// Partition cuts some hosts off from all others: packets between the two sides are
// lost until Heal. Connections stay open, but nothing moves on them.
func (n *Network) Partition(side ...*Host) {
	n.sim.note(nil, "partition: %s from the others", names(side))
	for _, h := range side {
		for _, o := range n.hosts {
			if !slices.Contains(side, o) {
				n.path(h, o).cut = true
				n.path(o, h).cut = true
			}
		}
	}
	n.peersVanish()
}

// Cut drops all packets from one host to another, but not those in the other
// direction.
func (n *Network) Cut(from, to *Host) {
	if from == to {
		return
	}
	n.sim.note(nil, "cut: from %s to %s", from.name, to.name)
	n.path(from, to).cut = true
	n.peersVanish()
}

// Heal undoes all of Partition and Cut.
func (n *Network) Heal() {
	n.sim.note(nil, "heal")
	for _, p := range n.routes {
		p.cut = false
	}
}

// Reset resets every connection between two hosts, as a middlebox does that has lost
// its state.
func (n *Network) Reset(a, b *Host) {
	n.sim.note(nil, "reset: connections of %s and %s", a.name, b.name)
	for _, s := range n.sim.files {
		if s != nil && s.peer != nil && s.proc.host == a && s.peer.proc.host == b {
			s.fail(econnreset)
			s.peer.fail(econnreset)
		}
	}
}

// peersVanish starts the probes of the connections that are cut off now.
func (n *Network) peersVanish() {
	for _, s := range n.sim.files {
		if s != nil && s.peer != nil && s.isCutOff() {
			s.peerVanished()
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

// isCutOff reports whether no packet can go from s to its peer and back.
func (s *socket) isCutOff() bool {
	n, a, b := s.proc.host.net, s.proc.host, s.peer.proc.host
	return n.path(a, b).cut || n.path(b, a).cut
}
