package net

import (
	"context"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// A ListenConfig makes listeners, as the standard library's ListenConfig does.
// The zero ListenConfig is that of [Listen] and [ListenPacket]. Its methods may be
// called from any goroutine, at the same time too.
type ListenConfig struct {
	// Control, if set, is called with each new socket before it is bound. The
	// network is "tcp4" rather than "tcp", and so on. It is called on the goroutine
	// that listens, and c is of use only until it returns.
	Control func(network, address string, c syscall.RawConn) error

	// KeepAlive is how long an accepted TCP connection is idle before the kernel
	// probes it. 0 means 15 s; negative means no probes. It is ignored if
	// KeepAliveConfig is enabled.
	KeepAlive time.Duration

	// KeepAliveConfig says more about these probes, if its Enable is set.
	KeepAliveConfig KeepAliveConfig

	// Backlog is how many connections may wait to be accepted, beyond which the
	// kernel drops or refuses them; its own limit (somaxconn) holds besides. 0
	// means that limit, up to 65,535.
	Backlog int

	// ReusePort lets several TCP or UDP sockets, of any processes of this
	// user, have the same address, if all of them want it (SO_REUSEPORT).
	// The kernel spreads connections over them on Linux and FreeBSD.
	ReusePort bool

	mptcp bool
}

// Listen announces on a local address and returns a [*TCPListener] or
// [*UnixListener]. The networks are "tcp", "tcp4", "tcp6", "unix" and
// "unixpacket"; addresses are as for the standard library's Listen: without a
// host all local addresses are meant, and port 0 chooses one. The file of a Unix
// socket is removed when the listener is closed.
//
// ctx must belong to a loop, which closes the listener when it ends. Listen may
// be called from any goroutine.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {
	ln, err := onThisLoop(ctx, reactor.LoopOf, lc.Control != nil, func(ctx context.Context) (Listener, error) {
		return lc.listen(ctx, network, address)
	})
	if err != nil {
		return nil, opError("listen", network, nil, err)
	}
	return ln, nil
}

func (lc *ListenConfig) listen(ctx context.Context, network, address string) (Listener, error) {
	switch network {
	case "unix", "unixpacket":
		at := &UnixAddr{Name: address, Net: network}
		l, err := listenUnix(ctx, network, at, lc)
		if err != nil {
			return nil, opError("listen", network, at, err)
		}
		return l, nil
	case "tcp", "tcp4", "tcp6":
		addrs, err := resolve(ctx, network, address)
		if err != nil {
			return nil, err
		}
		at := firstIPv4(addrs)
		l, err := lc.listenTCP(ctx, network, at.(*TCPAddr))
		if err != nil {
			return nil, opError("listen", network, at, err)
		}
		return l, nil
	}
	return nil, notForThis(ctx, network, address)
}

// notForThis returns the error for a network that is of another kind than what
// is to listen, or of none. It resolves the address first, as std does.
func notForThis(ctx context.Context, network, address string) error {
	at := Addr(&UnixAddr{Name: address, Net: network})
	switch {
	case isTCP(network) || isUDP(network):
		addrs, err := resolve(ctx, network, address)
		if err != nil {
			return err
		}
		at = firstIPv4(addrs)
	case !isUnix(network):
		return UnknownNetworkError(network)
	}
	return opError("listen", network, at, &AddrError{Err: "unexpected address type", Addr: address})
}

// ListenTCP announces on a TCP address; nil is any. It is as [Listen] in all
// else.
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
		return nil, opError("listen", network, given(laddr), err)
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
		set: func(sys eddy.Sockets, fd int) error {
			setListenerOptions(sys, fd, l.keepAlive)
			return lc.setReuse(sys, fd, true)
		},
	}
	return l, l.listen(ctx, s, lc.Backlog)
}

// setReuse lets an address be bound to that connections of an earlier process
// still have, if the socket is to listen, and one that others have if the user
// wants that.
func (lc *ListenConfig) setReuse(sys eddy.Sockets, fd int, listens bool) error {
	if listens {
		if err := sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	if lc.ReusePort {
		return sys.SetInt(fd, unix.SOL_SOCKET, reusePort, 1)
	}
	return nil
}

func (lc *ListenConfig) control() controlFunc {
	if lc.Control == nil {
		return nil
	}
	return func(_ context.Context, network, address string, c syscall.RawConn) error {
		return lc.Control(network, address, c)
	}
}

func isNoIPv6(err error) bool {
	if err == errNotDual {
		return true
	}
	se, ok := err.(*os.SyscallError)
	return ok && (se.Err == unix.EAFNOSUPPORT || se.Err == unix.EADDRNOTAVAIL || se.Err == unix.EPROTONOSUPPORT)
}
