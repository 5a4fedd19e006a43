package net

import (
	"context"
	stdnet "net"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// ListenUDP makes a UDP socket that is bound to laddr; nil means all local
// addresses and a port that the kernel chooses. The networks are "udp", "udp4"
// and "udp6". ctx must belong to a loop, which closes the socket when it ends.
// ListenUDP may be called from any goroutine.
func ListenUDP(ctx context.Context, network string, laddr *UDPAddr) (*UDPConn, error) {
	if laddr == nil && isUDP(network) {
		laddr = &UDPAddr{}
	}
	c, err := onLoop(ctx, func(ctx context.Context) (*UDPConn, error) { return listenUDP(ctx, network, laddr, new(ListenConfig)) })
	if err != nil {
		return nil, opError("listen", network, nil, given(laddr), err)
	}
	return c, nil
}

// listenUDP does the work of ListenUDP.
func listenUDP(ctx context.Context, network string, laddr *UDPAddr, lc *ListenConfig) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, UnknownNetworkError(network)
	}
	family, dual := listenFamily(network, laddr)
	c, err := bindUDP(ctx, network, family, dual, laddr, lc)
	if dual && isNoIPv6(err) {
		return bindUDP(ctx, network, unix.AF_INET, false, &UDPAddr{Port: laddr.Port}, lc)
	}
	return c, err
}

func bindUDP(ctx context.Context, network string, family int, dual bool, laddr *UDPAddr, lc *ListenConfig) (*UDPConn, error) {
	s := socketSpec{network: network, family: family, typ: unix.SOCK_DGRAM, dual: dual, local: laddr, control: lc.control()}
	group := laddr.IP.IsMulticast()
	if group {
		// Bind to all groups' datagrams for this port: several sockets may want
		// them, and one may join several groups.
		any := stdnet.IPv4zero
		if family == unix.AF_INET6 {
			any = IPv6unspecified
		}
		s.local = &UDPAddr{IP: any, Port: laddr.Port, Zone: laddr.Zone}
	}
	s.set = func(sys sockets.Calls, fd int) error {
		if group {
			if err := shareMulticast(sys, fd); err != nil {
				return err
			}
		}
		return lc.setReuse(sys, fd, false)
	}
	c := newUDPConn(network, family)
	if err := c.bind(ctx, s); err != nil {
		return nil, err
	}
	return c, nil
}
