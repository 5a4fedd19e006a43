package net

import (
	"bytes"

	"golang.org/x/sys/unix"
)

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

// sameAddr reports whether a and b are one address.
func sameAddr(a, b Addr) bool {
	x, ok1 := a.(*TCPAddr)
	y, ok2 := b.(*TCPAddr)
	return a == b || ok1 && ok2 && x.Port == y.Port && x.IP.Equal(y.IP) && x.Zone == y.Zone
}

// A compactAddr is a TCPAddr in a fraction of the memory, for the peer of a
// connection that was accepted.
type compactAddr interface {
	Addr
	full() *TCPAddr
}

// compact makes a compactAddr of a kernel's address, if it is one of TCP.
func compact(network string, sa unix.Sockaddr) Addr {
	if !isTCP(network) {
		return addressOn(network, sa)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &compact4{sa.Addr, uint16(sa.Port)}
	case *unix.SockaddrInet6:
		return &compact6{sa.Addr, sa.ZoneId, uint16(sa.Port)}
	}
	return addressOn(network, sa)
}

// full makes a std address of one that may be compact.
func full(a Addr) Addr {
	if c, ok := a.(compactAddr); ok {
		return c.full()
	}
	return a
}

type compact4 struct {
	ip   [4]byte
	port uint16
}

func (a *compact4) full() *TCPAddr  { return &TCPAddr{IP: bytes.Clone(a.ip[:]), Port: int(a.port)} }
func (a *compact4) Network() string { return "tcp" }
func (a *compact4) String() string  { return a.full().String() }

type compact6 struct {
	ip   [16]byte
	zone uint32
	port uint16
}

func (a *compact6) full() *TCPAddr {
	return &TCPAddr{IP: bytes.Clone(a.ip[:]), Port: int(a.port), Zone: zoneName(a.zone)}
}
func (a *compact6) Network() string { return "tcp" }
func (a *compact6) String() string  { return a.full().String() }
