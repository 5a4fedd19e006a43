package reactortest

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A machine is a host from one power-on to the next: what its kernel keeps beyond the
// end of a program.
//
// Invariants: bound holds each socket of the host that has a port, under that port, in
// the order in which they were bound, but for those that were accepted; a connection
// stays there as long as its port is taken, which may be past the close of its socket.
type machine struct {
	up    bool
	bound map[port][]*socket
	last  uint16 // ephemeral port given
}

type port struct {
	typ    int
	number uint16
}

func newMachine() *machine {
	return &machine{up: true, bound: make(map[port][]*socket), last: lastPort}
}

// The ephemeral ports; see ip_local_port_range in ip(7).
var firstPort, lastPort uint16 = 32768, 60999

// holdsPort is how long a connection keeps its port after its end: Linux's TIME-WAIT,
// and its FIN-WAIT-2 for a connection that no program has open (tcp_fin_timeout).
const holdsPort = 60 * time.Second

// at returns the sockets that have a port now.
func (m *machine) at(p port) []*socket {
	all := m.bound[p]
	if slices.ContainsFunc(all, (*socket).expired) {
		all = slices.DeleteFunc(slices.Clone(all), (*socket).expired)
		m.keep(p, all)
	}
	return all
}

func (m *machine) keep(p port, all []*socket) {
	if m.bound[p] = all; len(all) == 0 {
		delete(m.bound, p)
	}
}

func (m *machine) add(s *socket) {
	p := port{s.typ, s.local.Port()}
	m.bound[p] = append(m.bound[p], s)
}

func (m *machine) remove(s *socket) {
	p := port{s.typ, s.local.Port()}
	if i := slices.Index(m.bound[p], s); i >= 0 {
		m.keep(p, slices.Delete(slices.Clone(m.bound[p]), i, i+1))
	}
}

// ephemeral returns the next port that is free.
func (m *machine) ephemeral(typ int, free func(holders []*socket) bool) (uint16, bool) {
	for range int(lastPort-firstPort) + 1 {
		if m.last++; m.last < firstPort || m.last > lastPort {
			m.last = firstPort
		}
		if free(m.at(port{typ, m.last})) {
			return m.last, true
		}
	}
	return 0, false
}

// bind gives s an address of the host's, and a free port if none is chosen.
func (b *boot) bind(s *socket, a netip.AddrPort) error {
	if ip := a.Addr(); !ip.IsUnspecified() && b.host.net.reach(b.host, ip) != b.host {
		return syscall.EADDRNOTAVAIL
	}
	if a.Port() == 0 {
		p, ok := b.machine.ephemeral(s.typ, func(holders []*socket) bool { return len(holders) == 0 })
		if !ok {
			return syscall.EADDRINUSE
		}
		a = netip.AddrPortFrom(a.Addr(), p)
	}
	for _, o := range b.machine.at(port{s.typ, a.Port()}) {
		if s.conflicts(a.Addr(), o) {
			return syscall.EADDRINUSE
		}
	}
	s.local = a
	b.machine.add(s)
	return nil
}

// bindFor gives s, which is to connect to a, an address. A port that connections to
// elsewhere have got in this way is free; see __inet_hash_connect in Linux.
func (b *boot) bindFor(s *socket, a netip.AddrPort) error {
	source := b.source(a.Addr())
	if s.local.IsValid() {
		if s.local.Addr().IsUnspecified() {
			s.local = netip.AddrPortFrom(source, s.local.Port())
		}
		for _, o := range b.machine.at(port{s.typ, s.local.Port()}) {
			if o != s && o.local.Addr() == s.local.Addr() && o.excludes(a) {
				return syscall.EADDRNOTAVAIL
			}
		}
		return nil
	}
	p, ok := b.machine.ephemeral(s.typ, func(holders []*socket) bool {
		return !slices.ContainsFunc(holders, func(o *socket) bool {
			return !o.auto || o.local.Addr() == source && o.excludes(a)
		})
	})
	if !ok {
		return syscall.EADDRNOTAVAIL
	}
	s.local, s.auto = netip.AddrPortFrom(source, p), true
	b.machine.add(s)
	return nil
}

// excludes reports whether there can be no connection to a from s's port, because s is
// one. It may be in TIME-WAIT on the host itself; see tcp_tw_reuse in tcp(7).
func (s *socket) excludes(a netip.AddrPort) bool {
	reusable := s.until > 0 && s.in.over > 0 && s.out.path.direct()
	return s.remote == a && !reusable
}

// unbind gives back the port or the name of s.
func (b *boot) unbind(s *socket) {
	if len(s.path) > 0 && s.path[0] == '@' && b.paths[s.path] == s { // a file stays
		delete(b.paths, s.path)
	}
	if s.local.IsValid() {
		b.machine.remove(s)
	}
}

// settle gives back the port of a connection that is closed, or says until when it
// holds it: see TIME-WAIT in RFC 9293, 3.6.1.
func (s *socket) settle() {
	switch {
	case s.state != closed:
	case s.family == unix.AF_UNIX || s.out.dead || s.out.over > 0 && s.in.over > 0 && !s.first:
		s.home.unbind(s)
	case s.out.over > 0:
		s.until = max(s.out.over, s.in.over) + int64(holdsPort)
	}
}

// expired reports whether a closed connection's port is free again.
func (s *socket) expired() bool { return s.until > 0 && s.world().time() >= s.until }
