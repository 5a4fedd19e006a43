package net

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// sockaddr makes the kernel's form of an address.
func sockaddr(a netip.AddrPort) unix.Sockaddr {
	ip := a.Addr()
	if ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: ip.As16(), ZoneId: zoneID(ip.Zone())}
}

func family(a netip.AddrPort) int {
	if a.Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// address makes the std form of a kernel's address.
func address(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &TCPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	case *unix.SockaddrUnix:
		return &UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return &UnixAddr{Net: "unix"} // of a client that is not bound, some kernels tell nothing
}

// addressOn is address, for a socket of the network that the user named.
func addressOn(network string, sa unix.Sockaddr) Addr {
	switch network {
	case "udp", "udp4", "udp6":
		return udpAddress(sa)
	case "unix", "unixgram", "unixpacket":
		return unixAddress(network, sa)
	}
	return address(sa)
}
