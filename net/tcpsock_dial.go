package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// DialTCP connects to raddr, from laddr unless that is nil, with the zero
// [Dialer]. It may be called from any goroutine.
func DialTCP(ctx context.Context, network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	d := new(Dialer)
	return dialOnLoop(ctx, d, network, given(laddr), given(raddr), func(ctx context.Context) (*TCPConn, error) {
		return d.dialTCPAddr(ctx, network, laddr, raddr)
	})
}

// DialTCP connects to a TCP address, from laddr unless that is the zero
// AddrPort. Otherwise it is like [Dialer.DialContext].
func (d *Dialer) DialTCP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*TCPConn, error) {
	from, to := stdnet.TCPAddrFromAddrPort(laddr), stdnet.TCPAddrFromAddrPort(raddr)
	return dialOnLoop(ctx, d, network, from, to, func(ctx context.Context) (*TCPConn, error) {
		if laddr == (netip.AddrPort{}) {
			return d.dialTCPAddr(ctx, network, nil, to)
		}
		return d.dialTCPAddr(ctx, network, from, to)
	})
}

// dialTCPAddr does the work of DialTCP.
func (d *Dialer) dialTCPAddr(ctx context.Context, network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	switch {
	case !isTCP(network):
		return nil, UnknownNetworkError(network)
	case raddr == nil:
		return nil, errMissingAddress
	}
	return d.dialTCP(ctx, network, laddr, raddr)
}

// dialTCP connects from local, unless that is nil, to an address.
//
// A kernel that chooses the local port may choose the one that is dialled, and
// connect the socket to itself by TCP's simultaneous open; or it may choose one
// that is not free. Like std, dialTCP then tries again, a few times.
func (d *Dialer) dialTCP(ctx context.Context, network string, local, to *TCPAddr) (*TCPConn, error) {
	for retries := 2; ; retries-- {
		c, err := d.connectTCP(ctx, network, local, to)
		switch {
		case retries == 0 || local != nil && local.Port != 0:
			return c, err
		case err == nil && c.local.String() == c.peer.String():
			c.Close()
		case !errors.Is(err, syscall.EADDRNOTAVAIL):
			return c, err
		}
	}
}

func (d *Dialer) connectTCP(ctx context.Context, network string, local, to *TCPAddr) (*TCPConn, error) {
	s := socketSpec{
		network: network, family: familyFor(network, given(local), to), typ: unix.SOCK_STREAM,
		local: given(local), peer: to, control: d.control(),
	}
	c := newTCPConn()
	c.network = network
	if err := c.connect(ctx, s); err != nil {
		return nil, err
	}
	setTCPOptions(c.sys, c.fd.Sysfd(), keepAliveFor(d.KeepAlive, d.KeepAliveConfig))
	return c, nil
}
