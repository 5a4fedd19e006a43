package net

import (
	"context"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// ListenTCP announces on a TCP address; nil means any. Otherwise it is like
// [Listen].
func ListenTCP(ctx context.Context, network string, laddr *TCPAddr) (*TCPListener, error) {
	if laddr == nil && isTCP(network) {
		laddr = &TCPAddr{}
	}
	l, err := onLoop(ctx, func(ctx context.Context) (*TCPListener, error) {
		if !isTCP(network) {
			return nil, UnknownNetworkError(network)
		}
		return new(ListenConfig).listenTCP(ctx, network, laddr)
	})
	if err != nil {
		return nil, opError("listen", network, nil, given(laddr), err)
	}
	return l, nil
}

func (lc *ListenConfig) listenTCP(ctx context.Context, network string, a *TCPAddr) (*TCPListener, error) {
	family, dual := listenFamily(network, a)
	l, err := lc.listenOn(ctx, network, a, family, dual)
	if dual && isNoIPv6(err) {
		l, err = lc.listenOn(ctx, network, &TCPAddr{Port: a.Port}, unix.AF_INET, false)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (lc *ListenConfig) listenOn(ctx context.Context, network string, a *TCPAddr, family int, dual bool) (*TCPListener, error) {
	l := &TCPListener{keepAlive: keepAliveFor(lc.KeepAlive, lc.KeepAliveConfig), heirs: inherited}
	s := socketSpec{
		network: network, family: family, typ: unix.SOCK_STREAM, dual: dual, local: a, control: lc.control(),
		set: func(sys sockets.Calls, fd int) error {
			setListenerOptions(sys, fd, l.keepAlive)
			return lc.setReuse(sys, fd, true)
		},
	}
	return l, l.listen(ctx, s, lc.Backlog)
}
