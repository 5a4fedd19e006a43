package net

import "net/netip"

// addrCounts are how many connections there are from each address. Of IPv6, the
// network counts, which one subscriber has: 64 bits.
type addrCounts map[netip.Addr]int

// networkOf returns what counts as the address of a peer; false if it has none of IP.
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

// hasTooMany reports whether there is no room for another connection from a's address.
// It is for servers that have a limit, and so is count.
func (s *Server) hasTooMany(a Addr) bool {
	n, ok := networkOf(a)
	return ok && s.addrs[n] >= s.MaxConnsPerAddr
}

// count adds a connection from a's address, or takes one away.
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
