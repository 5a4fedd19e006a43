package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialTCP connects from local, if that is not the zero AddrPort, to an address.
//
// A kernel that chooses the local port may choose the very one that is dialled,
// and connect the socket to itself, by TCP's simultaneous open; or one that is
// not free. As std does, dialTCP tries again then, but not for ever.
func (d *Dialer) dialTCP(ctx context.Context, network string, local, to netip.AddrPort) (*TCPConn, error) {
	for retries := 2; ; retries-- {
		c, err := d.connectTCP(ctx, network, local, to)
		switch {
		case retries == 0 || local.Port() != 0:
			return c, err
		case err == nil && c.local.String() == c.peer.String():
			c.Close()
		case !errors.Is(err, syscall.EADDRNOTAVAIL):
			return c, err
		}
	}
}

func (d *Dialer) connectTCP(ctx context.Context, network string, local, to netip.AddrPort) (*TCPConn, error) {
	s := socketSpec{
		network: network, family: familyFor(network, local, to), typ: unix.SOCK_STREAM,
		shown: addrOn(network, to), control: d.control(),
	}
	peer, err := sockaddrFor(s.family, orLoopback(to, s.family))
	if err == nil && local != (netip.AddrPort{}) {
		s.local, err = sockaddrFor(s.family, local)
	}
	if err != nil {
		return nil, err
	}
	c := newTCPConn()
	c.network = network
	if err := c.connect(ctx, s, peer); err != nil {
		return nil, err
	}
	setTCPOptions(c.sys, c.fd.Sysfd(), keepAliveFor(d.KeepAlive, d.KeepAliveConfig))
	return c, nil
}

// orLoopback makes the address to dial of one without a host: this machine. Not
// every kernel does it.
func orLoopback(a netip.AddrPort, family int) netip.AddrPort {
	ip := a.Addr()
	switch {
	case ip.IsValid() && !ip.IsUnspecified():
		return a
	case ip.Is6() || family == unix.AF_INET6:
		return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
}

func isTCP(network string) bool { return network == "tcp" || network == "tcp4" || network == "tcp6" }

// isIPv4 counts an absent IP too, as std does.
func isIPv4(a netip.AddrPort) bool { return !a.Addr().Is6() }

// familyFor returns the family of the socket between two addresses of which
// either may be absent.
func familyFor(network string, local, peer netip.AddrPort) int {
	switch network[len(network)-1] {
	case '4':
		return unix.AF_INET
	case '6':
		return unix.AF_INET6
	}
	if isIPv4(local) && isIPv4(peer) {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// sockaddrFor makes the kernel's form of an address for a socket of a family.
// An absent IP is any; to IPv6, 0.0.0.0 is too, and other IPv4 addresses are
// those that are mapped into it.
func sockaddrFor(family int, a netip.AddrPort) (unix.Sockaddr, error) {
	ip := a.Addr()
	switch {
	case family == unix.AF_INET && !ip.IsValid():
		ip = netip.IPv4Unspecified()
	case family == unix.AF_INET && !ip.Is4():
		return nil, &AddrError{Err: "non-IPv4 address", Addr: ip.String()}
	case family == unix.AF_INET6 && (!ip.IsValid() || ip == netip.IPv4Unspecified()):
		ip = netip.IPv6Unspecified()
	case family == unix.AF_INET6 && ip.Is4():
		ip = netip.AddrFrom16(ip.As16())
	}
	return sockaddr(netip.AddrPortFrom(ip, a.Port())), nil
}

// checkIP refuses an address, which may be nil, whose IP is of a length that none
// has.
func checkIP(a *TCPAddr) error {
	if a == nil || len(a.IP) == 0 || len(a.IP) == IPv4len || len(a.IP) == IPv6len {
		return nil
	}
	return &AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
}

// addrPort makes an AddrPort of an address, which may be nil: of one that is
// mapped into IPv6 the IPv4 address.
func addrPort(a *TCPAddr) netip.AddrPort {
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// tcpAddr is a's std form, or nil if there is none.
func tcpAddr(a netip.AddrPort) *TCPAddr {
	if a == (netip.AddrPort{}) {
		return nil
	}
	return stdnet.TCPAddrFromAddrPort(a)
}

// addrOn is a's std form for a network.
func addrOn(network string, a netip.AddrPort) Addr {
	if network[0] == 'u' {
		return stdnet.UDPAddrFromAddrPort(a)
	}
	return stdnet.TCPAddrFromAddrPort(a)
}
