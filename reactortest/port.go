package reactortest

import (
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The range of ephemeral ports; see ip_local_port_range in ip(7).
var firstPort, lastPort uint16 = 32768, 60999

// timeWait is how long a closed connection holds its port: in Linux's TIME-WAIT, and
// in FIN-WAIT-2 when no process has it open (tcp_fin_timeout).
const timeWait = 60 * time.Second

// ephemeral returns the next free ephemeral port, if there is one.
func (k *kernel) ephemeral(typ int, free func(holders []*socket) bool) (uint16, bool) {
	for range int(lastPort-firstPort) + 1 {
		if k.lastEphemeral++; k.lastEphemeral < firstPort || k.lastEphemeral > lastPort {
			k.lastEphemeral = firstPort
		}
		if free(k.holders(port{typ, k.lastEphemeral})) {
			return k.lastEphemeral, true
		}
	}
	return 0, false
}

// bind binds s to an address of the host. Port 0 means any free port.
func (proc *process) bind(s *socket, a netip.AddrPort) error {
	if ip := a.Addr(); !ip.IsUnspecified() && proc.host.net.reach(proc.host, ip) != proc.host {
		return syscall.EADDRNOTAVAIL
	}
	if a.Port() == 0 {
		p, ok := proc.kernel.ephemeral(s.typ, func(holders []*socket) bool { return len(holders) == 0 })
		if !ok {
			return syscall.EADDRINUSE
		}
		a = netip.AddrPortFrom(a.Addr(), p)
	}
	for _, o := range proc.kernel.holders(port{s.typ, a.Port()}) {
		if s.conflicts(a.Addr(), o) {
			return syscall.EADDRINUSE
		}
	}
	s.local = a
	proc.kernel.add(s)
	return nil
}

// bindToConnect binds s, which connects to a. It may share a port with connections to
// other addresses that were bound in this way; see __inet_hash_connect in Linux.
func (proc *process) bindToConnect(s *socket, a netip.AddrPort) error {
	source := proc.source(a.Addr())
	if s.local.IsValid() {
		if s.local.Addr().IsUnspecified() {
			s.local = netip.AddrPortFrom(source, s.local.Port())
		}
		for _, o := range proc.kernel.holders(port{s.typ, s.local.Port()}) {
			if o != s && o.local.Addr() == s.local.Addr() && o.excludes(a) {
				return syscall.EADDRNOTAVAIL
			}
		}
		return nil
	}
	p, ok := proc.kernel.ephemeral(s.typ, func(holders []*socket) bool {
		return !slices.ContainsFunc(holders, func(o *socket) bool {
			return !o.autobound || o.local.Addr() == source && o.excludes(a)
		})
	})
	if !ok {
		return syscall.EADDRNOTAVAIL
	}
	s.local, s.autobound = netip.AddrPortFrom(source, p), true
	proc.kernel.add(s)
	return nil
}

// excludes reports whether s keeps other connections to a from using its port. One in
// TIME-WAIT on loopback does not; see tcp_tw_reuse in tcp(7).
func (s *socket) excludes(a netip.AddrPort) bool {
	reusable := s.timeWaitEnd > 0 && s.in.finArrived > 0 && s.out.path.isLoopback()
	return s.remote == a && !reusable
}

// unbind frees the port or the name of s.
func (proc *process) unbind(s *socket) {
	if len(s.path) > 0 && s.path[0] == '@' && proc.paths[s.path] == s { // a name in the file system stays
		delete(proc.paths, s.path)
	}
	if s.local.IsValid() {
		proc.kernel.remove(s)
	}
}

// releasePort frees the port of a closed connection, or starts its TIME-WAIT; see
// RFC 9293, 3.6.1.
func (s *socket) releasePort() {
	switch {
	case s.state != closed:
	case s.family == unix.AF_UNIX || s.out.dead || s.out.finArrived > 0 && s.in.finArrived > 0 && !s.activeClose:
		s.proc.unbind(s)
	case s.out.finArrived > 0:
		s.timeWaitEnd = max(s.out.finArrived, s.in.finArrived) + int64(timeWait)
	}
}

// expired reports whether TIME-WAIT is over.
func (s *socket) expired() bool { return s.timeWaitEnd > 0 && s.sim().time() >= s.timeWaitEnd }

// find returns the socket that gets packets for an address: one that is bound to it,
// or else one that is bound to the unspecified address.
func (proc *process) find(typ int, a netip.AddrPort, want func(*socket) bool) *socket {
	var best *socket
	score := 0
	for _, s := range proc.kernel.holders(port{typ, a.Port()}) {
		if n := s.matches(a.Addr()); n > score && want(s) {
			best, score = s, n
		}
	}
	return best
}

// matches returns how well a socket's address fits packets for ip: 3 if they are equal,
// 2 or 1 if the socket is bound to the unspecified address, 0 for not at all.
func (s *socket) matches(ip netip.Addr) int {
	own := s.local.Addr()
	switch {
	case own == ip:
		return 3
	case !own.IsUnspecified() || own.Is4() && !ip.Is4():
		return 0
	case own.Is4() == ip.Is4():
		return 2
	case s.isV6Only():
		return 0
	}
	return 1
}

// overlaps reports whether some address would fit both s bound to ip, and o.
func (s *socket) overlaps(ip netip.Addr, o *socket) bool {
	own := o.local.Addr()
	switch {
	case ip.Is4() != own.Is4():
		return ip.Is6() && ip.IsUnspecified() && !s.isV6Only() || own.Is6() && own.IsUnspecified() && !o.isV6Only()
	default:
		return ip == own || ip.IsUnspecified() || own.IsUnspecified()
	}
}

// conflicts reports whether o keeps s from being bound to ip; see SO_REUSEADDR and
// SO_REUSEPORT in socket(7).
func (s *socket) conflicts(ip netip.Addr, o *socket) bool {
	both := func(name int) bool { return s.isSet(unix.SOL_SOCKET, name) && o.isSet(unix.SOL_SOCKET, name) }
	if both(unix.SO_REUSEADDR) && (o.state != listening || s.typ == unix.SOCK_DGRAM) || both(unix.SO_REUSEPORT) {
		return false
	}
	return s.overlaps(ip, o)
}
