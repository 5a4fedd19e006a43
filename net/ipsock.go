package net

import (
	stdnet "net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// address converts a kernel's address to std's form.
func address(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &TCPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	case *unix.SockaddrUnix:
		return &UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return &UnixAddr{Net: "unix"} // some kernels return no address for an unbound client
}

// udpAddress converts a kernel's address to std's form.
func udpAddress(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &UDPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &UDPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	}
	return nil
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

// sameAddr reports whether a and b are equal.
func sameAddr(a, b Addr) bool {
	x, ok1 := a.(*TCPAddr)
	y, ok2 := b.(*TCPAddr)
	return a == b || ok1 && ok2 && x.Port == y.Port && x.IP.Equal(y.IP) && x.Zone == y.Zone
}

// This file converts users' addresses to the kernel's. The rules and the errors
// are std's. A port is passed to the kernel's call unchecked: that refuses one
// that is out of range.

// sockaddrFor returns the kernel's form of an address for a socket of a family.
func sockaddrFor(family int, a Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case *TCPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *UDPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *UnixAddr:
		return &unix.SockaddrUnix{Name: a.Name}, nil
	}
	return nil, &AddrError{Err: "unexpected address type", Addr: a.String()}
}

func inetSockaddr(family int, ip IP, port int, zone string) (unix.Sockaddr, error) {
	a, err := ipFor(family, ip)
	if err != nil {
		return nil, err
	}
	if family == unix.AF_INET {
		return &unix.SockaddrInet4{Port: port, Addr: a.As4()}, nil
	}
	return &unix.SockaddrInet6{Port: port, Addr: a.As16(), ZoneId: zoneID(zone)}, nil
}

// ipFor returns an IP as a socket of a family has it. An absent IP means any,
// and so does 0.0.0.0 for IPv6; other IPv4 addresses are mapped.
func ipFor(family int, ip IP) (netip.Addr, error) {
	if family == unix.AF_INET {
		if len(ip) == 0 {
			return netip.IPv4Unspecified(), nil
		}
		a, ok := netip.AddrFromSlice(ip.To4())
		if !ok {
			return netip.Addr{}, &AddrError{Err: "non-IPv4 address", Addr: ip.String()}
		}
		return a, nil
	}
	if len(ip) == 0 || ip.Equal(stdnet.IPv4zero) {
		return netip.IPv6Unspecified(), nil
	}
	a, ok := netip.AddrFromSlice(ip.To16())
	if !ok {
		return netip.Addr{}, &AddrError{Err: "non-IPv6 address", Addr: ip.String()}
	}
	return a, nil
}

// familyFor returns the family of the socket between two addresses, either of
// which may be nil.
func familyFor(network string, local, peer Addr) int {
	switch network[len(network)-1] {
	case '4':
		return unix.AF_INET
	case '6':
		return unix.AF_INET6
	}
	if mayBeIPv4(ipOf(local)) && mayBeIPv4(ipOf(peer)) {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// mayBeIPv4 reports whether ip is an IPv4 address or too short for an IP.
func mayBeIPv4(ip IP) bool { return len(ip) <= IPv4len || ip.To4() != nil }

// listenFamily returns the family of the socket to listen with, and reports
// whether it must accept both IPv6 and IPv4: an IPv6 socket for any address
// must. "0.0.0.0" counts as any.
func listenFamily(network string, local Addr) (family int, dual bool) {
	if last := network[len(network)-1]; last != '4' && last != '6' && isAny(local) {
		return unix.AF_INET6, true
	}
	return familyFor(network, local, nil), false
}

// isAny reports whether an address, which may be nil, has no IP or the
// unspecified one.
func isAny(a Addr) bool {
	ip := ipOf(a)
	return ip == nil || ip.IsUnspecified()
}

func isIPv4(a Addr) bool { return ipOf(a).To4() != nil }

// firstIPv4 returns the address of a name to listen on, preferably an IPv4 one.
func firstIPv4(addrs []Addr) Addr {
	for _, a := range addrs {
		if isIPv4(a) {
			return a
		}
	}
	return addrs[0]
}

func ipOf(a Addr) IP {
	switch a := a.(type) {
	case *TCPAddr:
		return a.IP
	case *UDPAddr:
		return a.IP
	case *IPAddr:
		return a.IP
	}
	return nil
}

// inetAddr returns network's type of address with an IP and a port.
func inetAddr(network string, ip IP, port int, zone string) Addr {
	switch network[0] {
	case 'u':
		return &UDPAddr{IP: ip, Port: port, Zone: zone}
	case 'i':
		return &IPAddr{IP: ip, Zone: zone}
	}
	return &TCPAddr{IP: ip, Port: port, Zone: zone}
}

func isTCP(network string) bool { return network == "tcp" || network == "tcp4" || network == "tcp6" }

func isUDP(network string) bool { return network == "udp" || network == "udp4" || network == "udp6" }

func isUnix(network string) bool {
	return network == "unix" || network == "unixgram" || network == "unixpacket"
}

// mapped returns an IP in IPv6's form: an IPv4 address is mapped.
func mapped(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom16(ip.As16())
	}
	return ip
}

func isNoIPv6(err error) bool {
	if err == errNotDual {
		return true
	}
	se, ok := err.(*os.SyscallError)
	return ok && (se.Err == unix.EAFNOSUPPORT || se.Err == unix.EADDRNOTAVAIL || se.Err == unix.EPROTONOSUPPORT)
}
