package net

import (
	"context"
	stdnet "net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// DialUDP makes a UDP socket that is connected to raddr: it receives datagrams
// only from there, and reports when its own can't be delivered. Nothing is
// sent. The socket is bound to laddr unless that is nil. Otherwise it is like
// [ListenUDP].
func DialUDP(ctx context.Context, network string, laddr, raddr *UDPAddr) (*UDPConn, error) {
	c, err := onLoop(ctx, func(ctx context.Context) (*UDPConn, error) { return dialUDP(ctx, network, laddr, raddr, nil) })
	if err != nil {
		return nil, wrapInOpError("dial", network, given(laddr), given(raddr), err)
	}
	return c, nil
}

// DialUDP makes a socket that is connected to a UDP address, from laddr unless
// that is the zero AddrPort. Otherwise it is like [Dialer.DialContext].
func (d *Dialer) DialUDP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*UDPConn, error) {
	from, to := stdnet.UDPAddrFromAddrPort(laddr), stdnet.UDPAddrFromAddrPort(raddr)
	return dialOnLoop(ctx, d, network, from, to, func(ctx context.Context) (*UDPConn, error) {
		if laddr == (netip.AddrPort{}) {
			return dialUDP(ctx, network, nil, to, d.control())
		}
		return dialUDP(ctx, network, from, to, d.control())
	})
}

// dialUDP does the work of DialUDP.
func dialUDP(ctx context.Context, network string, laddr, raddr *UDPAddr, control controlFunc) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, UnknownNetworkError(network)
	}
	if raddr == nil {
		return nil, errMissingAddress
	}
	s := socketSpec{
		network: network, family: familyFor(network, given(laddr), raddr), typ: unix.SOCK_DGRAM,
		local: given(laddr), peer: raddr, control: control,
	}
	c := newUDPConn(network, s.family)
	if err := c.connect(ctx, s); err != nil {
		return nil, err
	}
	return c, nil
}

func newUDPConn(network string, family int) *UDPConn {
	c := &UDPConn{family: family}
	c.origin = &origin{network: network, datagram: true}
	return c
}

// given returns a as an interface value, which is nil if a is.
func given[A any, P interface {
	*A
	Addr
}](a P) Addr {
	if a == nil {
		return nil
	}
	return a
}
