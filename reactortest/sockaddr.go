package reactortest

import (
	"math"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Addresses.

// addrPort converts sa to an address. It fails if sa is of another family than s.
func (s *socket) addrPort(sa unix.Sockaddr) (netip.AddrPort, error) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		if sa.Port < 0 || sa.Port > math.MaxUint16 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		if s.family == unix.AF_INET {
			return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
		}
	case *unix.SockaddrInet6:
		if sa.Port < 0 || sa.Port > math.MaxUint16 {
			return netip.AddrPort{}, syscall.EINVAL
		}
		if s.family == unix.AF_INET6 {
			return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
		}
	}
	return netip.AddrPort{}, syscall.EAFNOSUPPORT
}

// sockaddr converts an address to one of s's family.
func (s *socket) sockaddr(a netip.AddrPort) unix.Sockaddr {
	switch {
	case s.family == unix.AF_INET && a.IsValid():
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	case s.family == unix.AF_INET:
		return &unix.SockaddrInet4{}
	case a.IsValid():
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet6{}
}

func (s *socket) localAddr() unix.Sockaddr {
	if s.family == unix.AF_UNIX {
		return pathAddr(s.path)
	}
	return s.sockaddr(s.local)
}

func (s *socket) remoteAddr() unix.Sockaddr {
	if s.family == unix.AF_UNIX {
		return pathAddr(s.peerPath)
	}
	return s.sockaddr(s.remote)
}

// pathAddr returns an address in the Unix domain. A socket without a name has "@", as
// in x/sys on Linux.
func pathAddr(path string) unix.Sockaddr {
	if path == "" {
		path = "@"
	}
	return &unix.SockaddrUnix{Name: path}
}

// anyAddr returns the unspecified address of s's family.
func (s *socket) anyAddr() netip.Addr {
	if s.family == unix.AF_INET {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// source returns the address from which the host sends to another.
func (proc *process) source(to netip.Addr) netip.Addr {
	switch {
	case to.IsLoopback():
		return to
	case to.Is4():
		return proc.host.addr
	}
	return proc.host.addr6
}

func loopbackOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}
