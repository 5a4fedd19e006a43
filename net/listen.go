package net

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
	"github.com/eddyio/eddy/reactor/poll"
	"github.com/eddyio/eddy/sockets"
)

// Listen announces on a local address with the zero [ListenConfig]; see
// [ListenConfig.Listen].
func Listen(ctx context.Context, network, address string) (Listener, error) {
	return new(ListenConfig).Listen(ctx, network, address)
}

// listener is the common part of TCPListener and UnixListener.
type listener struct {
	fd      poll.FD
	sys     sockets.Calls
	kind    poll.Kind
	network string // as given by the user
	addr    Addr
	path    string // of a Unix socket's file, if any
	unlinks atomic.Bool
	latest  atomic.Pointer[origin] // of the last accepted connection
	ended   func()                 // if set, is called when an accepted connection is closed
}

// defaultBacklog is how many connections may wait to be accepted. The kernel
// caps it at its own limit.
const defaultBacklog = 65535

// listen makes a listening socket for l; a backlog of 0 is the default.
func (l *listener) listen(ctx context.Context, s socketSpec, backlog int) error {
	sys, fd, err := makeSocket(ctx, s)
	if err != nil {
		return err
	}
	if backlog <= 0 {
		backlog = defaultBacklog
	}
	l.network = s.network
	if err := os.NewSyscallError("listen", sys.Listen(fd, backlog)); err != nil {
		l.use(sys)
		l.kind.CloseFD(fd)
		return err
	}
	return l.open(ctx, sys, fd)
}

// use sets l's socket calls to sys.
func (l *listener) use(sys sockets.Calls) {
	l.sys = sys
	l.kind = poll.KindOf(sys)
	l.kind.Before = l.unlink
	l.kind.Name = func(_ *core.FD, d *core.Wait) { d.For, d.On = "a connection to", l.addr }
}

// open gives l the listening socket fd. It is registered with the loop's poller
// only when a task accepts, because goroutines may accept instead.
func (l *listener) open(ctx context.Context, sys sockets.Calls, fd int) error {
	l.use(sys)
	local, err := sys.LocalAddr(fd)
	if err != nil {
		l.kind.CloseFD(fd)
		return os.NewSyscallError("getsockname", err)
	}
	l.addr = addressOn(l.network, local)
	if loop := loopApart(ctx); loop != nil {
		if err := l.fd.OpenApart(loop, fd, &l.kind); err != nil {
			return err
		}
		return l.fd.Adopt()
	}
	if err := l.fd.OpenLate(ctx, fd, &l.kind); err != nil {
		l.kind.CloseFD(fd)
		return err
	}
	return nil
}

// unlink removes the socket's file. It must be called before the socket is
// closed: afterwards the file could be another listener's.
func (l *listener) unlink() {
	if l.path != "" && l.unlinks.Load() {
		l.sys.Unlink(l.path)
	}
}

// accept waits for a connection and opens c for it.
func (l *listener) accept(c *conn) error {
	if !l.fd.IsDirect() {
		_, err := l.fd.Indirectly(func() (int, error) { return 0, l.accept(c) })
		return err
	}
	fd, peer, err := l.fd.Accept()
	if err != nil {
		return err
	}
	return l.openAccepted(c, fd, peer)
}

func (l *listener) openAccepted(c *conn, fd int, peer unix.Sockaddr) error {
	local := l.addr
	if a, ok := l.addr.(*TCPAddr); ok && a.IP.IsUnspecified() {
		sa, err := l.sys.LocalAddr(fd)
		if err != nil {
			l.sys.Close(fd)
			return os.NewSyscallError("getsockname", err)
		}
		local = addressOn(l.network, sa)
	}
	c.origin, c.peer = l.originAt(local), compact(l.network, peer)
	if !l.fd.OnLoop() {
		return c.fd.OpenApartLike(&l.fd, fd, &c.kind)
	}
	if err := c.fd.OpenLike(&l.fd, fd, &c.kind); err != nil {
		l.sys.Close(fd)
		return err
	}
	return nil
}

// originAt returns the origin of connections accepted at an address, usually
// that of the previous one.
func (l *listener) originAt(local Addr) *origin {
	latest := l.latest.Load()
	if latest == nil || !sameAddr(latest.local, local) {
		latest = &origin{network: l.network, local: local, tcp: isTCP(l.network)}
		latest.use(l.sys)
		latest.kind.Before = l.ended
		l.latest.Store(latest)
	}
	return latest
}

func (l *listener) ok() bool { return l != nil && l.sys != nil }

func (l *listener) failed(op string, err error) error {
	return opError(op, l.network, nil, l.addr, err)
}

// Close stops listening: Accept returns [ErrClosed]. Accepted connections stay
// open.
func (l *listener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	if err := l.fd.Close(); err != nil {
		return l.failed("close", err)
	}
	return nil
}

// Addr returns the address that l listens on.
func (l *listener) Addr() Addr { return l.addr }

// SetDeadline sets the time after which Accept fails with
// [os.ErrDeadlineExceeded]; the zero t means none.
func (l *listener) SetDeadline(t time.Time) error {
	if !l.ok() {
		return syscall.EINVAL
	}
	if err := l.fd.SetReadDeadline(t); err != nil {
		return l.failed("set", err)
	}
	return nil
}

// A ListenConfig makes listeners, as the standard library's ListenConfig does.
// [Listen] and [ListenPacket] use the zero ListenConfig. Its methods may be
// called from any goroutine, also concurrently.
type ListenConfig struct {
	// Control, if set, is called with each new socket before it is bound. The
	// network is "tcp4" rather than "tcp", and so on. It is called on the
	// goroutine that listens, and c is valid only until it returns.
	Control func(network, address string, c syscall.RawConn) error

	// KeepAlive is how long an accepted TCP connection is idle before the kernel
	// probes it. 0 means 15 s; negative means no probes. It is ignored if
	// KeepAliveConfig is enabled.
	KeepAlive time.Duration

	// KeepAliveConfig configures these probes in detail, if its Enable is set.
	KeepAliveConfig KeepAliveConfig

	// Backlog is how many connections may wait to be accepted; the kernel drops
	// or refuses further ones. The kernel's own limit (somaxconn) also applies.
	// 0 means that limit, up to 65,535.
	Backlog int

	// ReusePort lets several TCP or UDP sockets, of any processes of this user,
	// bind the same address, if all of them set it (SO_REUSEPORT). The kernel
	// spreads connections over them on Linux and FreeBSD.
	ReusePort bool

	mptcp bool
}

// Listen announces on a local address and returns a [*TCPListener] or
// [*UnixListener]. The networks are "tcp", "tcp4", "tcp6", "unix" and
// "unixpacket"; addresses are as for the standard library's Listen: one without
// a host means all local addresses, and the kernel chooses a port for 0. The
// file of a Unix socket is removed when the listener is closed.
//
// ctx must belong to a loop, which closes the listener when it ends. Listen may
// be called from any goroutine.
func (lc *ListenConfig) Listen(ctx context.Context, network, address string) (Listener, error) {
	ln, err := onThisLoop(ctx, reactor.LoopOf, lc.Control != nil, func(ctx context.Context) (Listener, error) {
		return lc.listen(ctx, network, address)
	})
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	return ln, nil
}

func (lc *ListenConfig) listen(ctx context.Context, network, address string) (Listener, error) {
	switch network {
	case "unix", "unixpacket":
		at := &UnixAddr{Name: address, Net: network}
		l, err := listenUnix(ctx, network, at, lc)
		if err != nil {
			return nil, opError("listen", network, nil, at, err)
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
			return nil, opError("listen", network, nil, at, err)
		}
		return l, nil
	}
	return nil, notForThis(ctx, network, address)
}

func (lc *ListenConfig) control() controlFunc {
	if lc.Control == nil {
		return nil
	}
	return func(_ context.Context, network, address string, c syscall.RawConn) error {
		return lc.Control(network, address, c)
	}
}

// notForThis returns the error for a network that is unknown or that the method
// does not support. It resolves the address first, as std does.
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
	return opError("listen", network, nil, at, &AddrError{Err: "unexpected address type", Addr: address})
}
