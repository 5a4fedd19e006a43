package net

import (
	"cmp"
	"context"
	stdnet "net"
	"net/netip"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Dialer connects to addresses, as the standard library's Dialer does. The
// zero Dialer is that of [Dial]. Its methods may be called from any goroutine, at
// the same time too.
type Dialer struct {
	// Timeout bounds a dial, with the look-up of its name. If the name stands for
	// several addresses, it is divided among them. 0 means none.
	Timeout time.Duration

	// Deadline is the moment at which dials fail; the zero time means none.
	Deadline time.Time

	// LocalAddr is the address to dial from, a *TCPAddr for TCP and so on. nil
	// leaves the choice to the kernel.
	LocalAddr Addr

	// FallbackDelay is how long a dial of "tcp" waits for the addresses of the
	// family that its name's first address has before it tries those of the
	// other family too, at the same time (RFC 6555, "happy eyeballs"). It does
	// not wait if the first ones fail. 0 means 300 ms; negative means to try one
	// address after the other.
	FallbackDelay time.Duration

	// KeepAlive is how long a TCP connection is idle before the kernel probes
	// it. 0 means 15 s; negative means no probes. It is ignored if
	// KeepAliveConfig is enabled.
	KeepAlive time.Duration

	// KeepAliveConfig says more about these probes, if its Enable is set.
	KeepAliveConfig KeepAliveConfig

	// Resolver looks names up, on a goroutine off the loop. nil means
	// [DefaultResolver]. It is not asked where the loop's socket calls have
	// names of their own, see [eddy.Resolver].
	Resolver *Resolver

	// Control, if set, is called with each new socket before it is bound and
	// connected. The network is "tcp4" rather than "tcp", and so on. It is called
	// on the goroutine that dials, by a task of its own if several addresses are
	// tried at the same time; c is of use only until it returns.
	Control func(network, address string, c syscall.RawConn) error

	// ControlContext is called in place of Control if it is set. Its ctx
	// has the values of the one that the dial was called with.
	ControlContext func(ctx context.Context, network, address string, c syscall.RawConn) error

	mptcp bool

	// Loop is where connections are made if the ctx of a dial belongs to no
	// loop, as that of an http.Client's request need not. A task of that loop
	// makes them itself, and obeys its own scope too. Without a Loop such a dial
	// fails.
	Loop *reactor.Loop
}

// DialContext connects to an address and returns a [*TCPConn], [*UDPConn] or
// [*UnixConn]. The networks are "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6",
// "unix", "unixgram" and "unixpacket"; addresses are as for the standard
// library's Dial. The addresses that a name stands for are tried until one
// answers, see FallbackDelay.
//
// ctx must belong to a loop, or d have one. Its end ends the dial, but does
// nothing to a connection that was made; of its deadline each address gets a
// part, at least two seconds if there are as many. The error is an [*OpError],
// that of the first address; when ctx is done first it holds ctx's error. The hooks
// that ctx has from net/http/httptrace are called as by the standard library.
// DialContext may be called from any goroutine.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (Conn, error) {
	return dialOnLoop(ctx, d, network, nil, nil, func(ctx context.Context) (Conn, error) {
		return d.dial(ctx, network, address)
	})
}

// Dial is [Dialer.DialContext] for code that has no ctx. d must have a Loop: a task
// of that obeys the scope that it is in.
func (d *Dialer) Dial(network, address string) (Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTCP connects to a TCP address, from laddr unless that is the zero
// AddrPort. It is as [Dialer.DialContext] in all else.
func (d *Dialer) DialTCP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*TCPConn, error) {
	from, to := stdnet.TCPAddrFromAddrPort(laddr), stdnet.TCPAddrFromAddrPort(raddr)
	return dialOnLoop(ctx, d, network, from, to, func(ctx context.Context) (*TCPConn, error) {
		if laddr == (netip.AddrPort{}) {
			return d.dialTCPAddr(ctx, network, nil, to)
		}
		return d.dialTCPAddr(ctx, network, from, to)
	})
}

// DialTCP connects to raddr, from laddr unless that is nil, as the zero [Dialer]
// does. It may be called from any goroutine.
func DialTCP(ctx context.Context, network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	d := new(Dialer)
	return dialOnLoop(ctx, d, network, given(laddr), given(raddr), func(ctx context.Context) (*TCPConn, error) {
		return d.dialTCPAddr(ctx, network, laddr, raddr)
	})
}

// dialTCPAddr is DialTCP, called by a task of the loop.
func (d *Dialer) dialTCPAddr(ctx context.Context, network string, laddr, raddr *TCPAddr) (*TCPConn, error) {
	switch {
	case !isTCP(network):
		return nil, UnknownNetworkError(network)
	case raddr == nil:
		return nil, errMissingAddress
	}
	return d.dialTCP(ctx, network, laddr, raddr)
}

// DialUDP makes a socket that is connected to a UDP address, from laddr unless
// that is the zero AddrPort. It is as [Dialer.DialContext] in all else.
func (d *Dialer) DialUDP(ctx context.Context, network string, laddr, raddr netip.AddrPort) (*UDPConn, error) {
	from, to := stdnet.UDPAddrFromAddrPort(laddr), stdnet.UDPAddrFromAddrPort(raddr)
	return dialOnLoop(ctx, d, network, from, to, func(ctx context.Context) (*UDPConn, error) {
		if laddr == (netip.AddrPort{}) {
			return dialUDP(ctx, network, nil, to, d.control())
		}
		return dialUDP(ctx, network, from, to, d.control())
	})
}

// DialUnix connects to a Unix-domain socket, from laddr unless that is nil. It is
// as [Dialer.DialContext] in all else.
func (d *Dialer) DialUnix(ctx context.Context, network string, laddr, raddr *UnixAddr) (*UnixConn, error) {
	return dialOnLoop(ctx, d, network, given(laddr), given(raddr), func(ctx context.Context) (*UnixConn, error) {
		return dialUnix(ctx, network, laddr, raddr, d.control())
	})
}

// dialOnLoop does f on the loop of ctx, or d's, within d's time limits.
func dialOnLoop[C any](ctx context.Context, d *Dialer, network string, from, to Addr, f func(context.Context) (C, error)) (C, error) {
	c, err := onThisLoop(ctx, d.loop, d.control() != nil || !traceOf(ctx).none(), func(ctx context.Context) (c C, err error) {
		late := d.bounded(ctx, func(ctx context.Context) error {
			c, err = f(ctx)
			return err
		})
		return c, cmp.Or(err, late) // late is err, in more words, or f was not called
	})
	if err != nil {
		var none C
		return none, dialError(network, from, to, err)
	}
	return c, nil
}

// dialError makes the error of a dial from one address to another.
func dialError(network string, from, to Addr, err error) error {
	if _, wrapped := err.(*OpError); wrapped {
		return err
	}
	return &OpError{Op: "dial", Net: network, Source: from, Addr: to, Err: plain(err)}
}

func (d *Dialer) loop(ctx context.Context) *reactor.Loop {
	if l := reactor.LoopOf(ctx); l != nil {
		return l
	}
	return d.Loop
}

// bounded does f within d's time limits.
func (d *Dialer) bounded(ctx context.Context, f func(context.Context) error) error {
	if d.Timeout != 0 { // negative ones too, as in std
		within := f
		f = func(ctx context.Context) error { return reactor.Timeout(ctx, d.Timeout, within) }
	}
	if !d.Deadline.IsZero() {
		return reactor.TimeoutAt(ctx, d.Deadline, f)
	}
	return f(ctx)
}

func (d *Dialer) control() controlFunc {
	switch {
	case d.ControlContext != nil:
		return d.ControlContext
	case d.Control != nil:
		return func(_ context.Context, network, address string, c syscall.RawConn) error {
			return d.Control(network, address, c)
		}
	}
	return nil
}

func (d *Dialer) dial(ctx context.Context, network, address string) (Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return d.dialInternet(ctx, network, address, d.toTCP)
	case "udp", "udp4", "udp6":
		return d.dialInternet(ctx, network, address, d.toUDP)
	case "unix", "unixgram", "unixpacket":
		return d.toUnix(ctx, network, address)
	}
	return nil, UnknownNetworkError(network)
}

func (d *Dialer) toTCP(ctx context.Context, network string, to Addr) (Conn, error) {
	local, _ := d.LocalAddr.(*TCPAddr)
	c, err := d.dialTCP(ctx, network, local, to.(*TCPAddr))
	if err != nil {
		return nil, dialError(network, d.LocalAddr, to, err)
	}
	return c, nil
}

func (d *Dialer) toUDP(ctx context.Context, network string, to Addr) (Conn, error) {
	local, _ := d.LocalAddr.(*UDPAddr)
	c, err := dialUDP(ctx, network, local, to.(*UDPAddr), d.control())
	if err != nil {
		return nil, dialError(network, d.LocalAddr, to, err)
	}
	return c, nil
}

func (d *Dialer) toUnix(ctx context.Context, network, path string) (Conn, error) {
	local, _ := d.LocalAddr.(*UnixAddr)
	peer := &UnixAddr{Name: path, Net: network}
	switch {
	case path == "":
		return nil, errMissingAddress
	case d.LocalAddr != nil && d.LocalAddr.Network() != network:
		return nil, &AddrError{Err: "mismatched local address type", Addr: d.LocalAddr.String()}
	}
	one := func(ctx context.Context, network string, to Addr) (Conn, error) {
		c, err := dialUnix(ctx, network, local, peer, d.control())
		if err != nil {
			return nil, dialError(network, d.LocalAddr, peer, err)
		}
		return c, nil
	}
	return (&dialing{d, network, one}).single(ctx, peer)
}
