package net

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// A compactAddr is a TCPAddr in a fraction of the memory, for the peers of
// accepted connections.
type compactAddr interface {
	Addr
	full() *TCPAddr
}

// compact converts a kernel's address to a compactAddr, if it is one of TCP.
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

// full converts an address that may be compact to std's form.
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

func (a *compact4) full() *TCPAddr { return &TCPAddr{IP: bytes.Clone(a.ip[:]), Port: int(a.port)} }

func (a *compact4) Network() string { return "tcp" }

func (a *compact4) String() string { return a.full().String() }

type compact6 struct {
	ip   [16]byte
	zone uint32
	port uint16
}

func (a *compact6) full() *TCPAddr {
	return &TCPAddr{IP: bytes.Clone(a.ip[:]), Port: int(a.port), Zone: zoneName(a.zone)}
}

func (a *compact6) Network() string { return "tcp" }

func (a *compact6) String() string { return a.full().String() }
