package net

import "net/netip"

// addrCounts holds the number of connections from each address, or from each
// /64 network in IPv6, which is what one subscriber has.
type addrCounts map[netip.Addr]int

// networkOf returns the address under which a peer is counted; false if it has
// no IP address.
func networkOf(a Addr) (netip.Addr, bool) {
	t, ok := a.(*TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is6() {
		p, err := ip.Prefix(64)
		return p.Addr(), err == nil
	}
	return ip, ip.IsValid()
}

// hasTooMany reports whether there is no room for another connection from a's
// address. It and count must be called only if there is a limit.
func (s *Server) hasTooMany(a Addr) bool {
	n, ok := networkOf(a)
	return ok && s.addrs[n] >= s.MaxConnsPerAddr
}

// count adds add to the number of connections from a's address.
func (s *Server) count(a Addr, add int) {
	n, ok := networkOf(a)
	if !ok {
		return
	}
	if s.addrs == nil {
		s.addrs = make(addrCounts)
	}
	if s.addrs[n] += add; s.addrs[n] == 0 {
		delete(s.addrs, n)
	}
}
