package net

import (
	"context"
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialTCP connects from local, unless that is nil, to an address.
//
// A kernel that chooses the local port may choose the very one that is dialled,
// and connect the socket to itself, by TCP's simultaneous open; or one that is
// not free. As std does, dialTCP tries again then, but not for ever.
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
