package net

import (
	stdnet "net"
	"net/netip"
	"strconv"

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

// zoneID and zoneName translate the zone of a link-local address, the name or
// number of an interface.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if ifi, err := stdnet.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if ifi, err := stdnet.InterfaceByIndex(int(id)); err == nil {
		return ifi.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
