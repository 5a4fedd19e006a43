package net

import (
	stdnet "net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// udpAddress makes the std form of a kernel's address.
func udpAddress(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &UDPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &UDPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	}
	return nil
}

// udpFamily is the family of the socket for these addresses, which may be nil,
// and whether it is to take both IPv6 and IPv4. The rules are std's.
func udpFamily(network string, listen bool, laddr, raddr *UDPAddr) (family int, dual bool) {
	switch network {
	case "udp4":
		return unix.AF_INET, false
	case "udp6":
		return unix.AF_INET6, false
	}
	if listen && (laddr == nil || laddr.IP == nil || laddr.IP.IsUnspecified()) {
		return unix.AF_INET6, true
	}
	if isV4(laddr) && isV4(raddr) {
		return unix.AF_INET, false
	}
	return unix.AF_INET6, false
}

func isV4(a *UDPAddr) bool {
	return a == nil || len(a.IP) <= stdnet.IPv4len || a.IP.To4() != nil
}

// udpSockaddr is the kernel's form of a, which may be nil, for a socket of this
// family.
func udpSockaddr(family int, a *UDPAddr) (unix.Sockaddr, error) {
	if a == nil {
		return nil, nil
	}
	to, err := udpAddrPort(family, a)
	if err != nil {
		return nil, err
	}
	return sockaddr(to), nil
}

// udpAddrPort is a as a socket of this family takes it. An IP that is absent
// stands for any, and so does 0.0.0.0 to IPv6.
func udpAddrPort(family int, a *UDPAddr) (netip.AddrPort, error) {
	port := uint16(a.Port)
	if family == unix.AF_INET {
		if len(a.IP) == 0 {
			return netip.AddrPortFrom(netip.IPv4Unspecified(), port), nil
		}
		ip, ok := netip.AddrFromSlice(a.IP.To4())
		if !ok {
			return netip.AddrPort{}, &AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
		}
		return netip.AddrPortFrom(ip, port), nil
	}
	if len(a.IP) == 0 || a.IP.Equal(stdnet.IPv4zero) {
		return netip.AddrPortFrom(netip.IPv6Unspecified().WithZone(a.Zone), port), nil
	}
	ip, ok := netip.AddrFromSlice(a.IP)
	if !ok {
		return netip.AddrPort{}, &AddrError{Err: "non-IPv6 address", Addr: a.IP.String()}
	}
	return netip.AddrPortFrom(mapped(ip).WithZone(a.Zone), port), nil
}

// mapped is an IP as IPv6 has it, where an IPv4 address is a part of IPv6's.
func mapped(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom16(ip.As16())
	}
	return ip
}
