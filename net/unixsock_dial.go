package net

import (
	"context"

	"golang.org/x/sys/unix"
)

// DialUnix connects to a Unix-domain socket, from laddr unless that is nil.
// Otherwise it is like [Dialer.DialContext].
func (d *Dialer) DialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	return dialOnLoop(ctx, d, network, given(laddr), given(raddr), func(ctx context.Context) (*UnixConn, error) {
		return dialUnix(ctx, network, laddr, raddr, d.control())
	})
}

// DialUnix connects to the Unix-domain socket at raddr. The networks are "unix",
// "unixgram" and "unixpacket". laddr, unless nil, is the name of this end, to
// which a "unixgram" peer can answer; closing the connection does not remove
// its file. A "unixgram" socket with a laddr needs no raddr; then it is not
// connected.
//
// ctx must belong to a loop. DialUnix may be called from any goroutine.
func DialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	c, err := onLoop(ctx, func(ctx context.Context) (*UnixConn, error) { return dialUnix(ctx, network, laddr, raddr, nil) })
	if err != nil {
		return nil, wrapInOpError("dial", network, given(laddr), given(raddr), err)
	}
	return c, nil
}

// unixType returns the socket type for a network, or 0.
func unixType(network string) int {
	switch network {
	case "unix":
		return unix.SOCK_STREAM
	case "unixgram":
		return unix.SOCK_DGRAM
	case "unixpacket":
		return unix.SOCK_SEQPACKET
	}
	return 0
}

// unixSpec returns the spec of a socket for a network, bound to laddr unless
// that is nil.
func unixSpec(network string, laddr *UnixAddr, control controlFunc) socketSpec {
	return socketSpec{network: network, family: unix.AF_UNIX, typ: unixType(network), local: given(laddr), control: control}
}

// dialUnix does the work of DialUnix.
func dialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr, control controlFunc) (*UnixConn, error) {
	if unixType(network) == 0 {
		return nil, UnknownNetworkError(network)
	}
	s := unixSpec(network, namedUnix(laddr), control)
	c := newUnixConn(network)
	if raddr = namedUnix(raddr); raddr == nil {
		if s.local == nil || !c.datagram {
			return nil, errMissingAddress
		}
		return c.orNil(c.bind(ctx, s))
	}
	s.peer = raddr
	if err := c.connect(ctx, s); err != nil {
		return nil, err
	}
	if peer, ok := c.peer.(*UnixAddr); !ok || peer.Name == "" { // some kernels return no address
		c.peer = &UnixAddr{Name: raddr.Name, Net: network}
	}
	return c, nil
}

// namedUnix returns a, or nil if that has no name.
func namedUnix(a *UnixAddr) *UnixAddr {
	if a == nil || a.Name == "" {
		return nil
	}
	return a
}

func (c *UnixConn) orNil(err error) (*UnixConn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}
