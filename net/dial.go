package net

import (
	"context"
	"syscall"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A Dialer connects to addresses, as the standard library's Dialer does. [Dial]
// uses the zero Dialer. Its methods may be called from any goroutine, also
// concurrently.
type Dialer struct {
	// Timeout bounds a dial, including name resolution. If the name has several
	// addresses, the time is divided among them. 0 means no limit.
	Timeout time.Duration

	// Deadline is the moment at which dials fail; the zero time means none.
	Deadline time.Time

	// LocalAddr is the address to dial from, a *TCPAddr for TCP and so on. If
	// it is nil, the kernel chooses.
	LocalAddr Addr

	// FallbackDelay is how long a dial of "tcp" tries only the address family
	// of the name's first address before it also tries the other family,
	// concurrently (RFC 6555, "happy eyeballs"). It does not wait once the
	// first ones have failed. 0 means 300 ms; negative means that addresses are
	// tried one after the other.
	FallbackDelay time.Duration

	// KeepAlive is how long a TCP connection is idle before the kernel probes
	// it. 0 means 15 s; negative means no probes. It is ignored if
	// KeepAliveConfig is enabled.
	KeepAlive time.Duration

	// KeepAliveConfig configures these probes in detail, if its Enable is set.
	KeepAliveConfig KeepAliveConfig

	// Resolver looks names up, on a goroutine off the loop. nil means
	// [DefaultResolver]. It is not used if the loop's socket calls resolve
	// names themselves; see [sockets.Resolver].
	Resolver *Resolver

	// Control, if set, is called with each new socket before it is bound and
	// connected. The network is "tcp4" rather than "tcp", and so on. It is
	// called on the goroutine that dials, by a task of its own if several
	// addresses are tried concurrently; c is valid only until it returns.
	Control func(network, address string, c syscall.RawConn) error

	// ControlContext is called in place of Control if it is set. Its ctx has
	// the values of the dial's.
	ControlContext func(ctx context.Context, network, address string, c syscall.RawConn) error

	mptcp bool

	// Loop is the loop for connections if the ctx of a dial belongs to none, as
	// that of an http.Client's request may. A task of that loop that dials also
	// obeys its own scope. Without a Loop such a dial fails.
	Loop *reactor.Loop
}

// Dial connects to an address with the zero [Dialer]; see [Dialer.DialContext].
// To limit the time, use reactor.Timeout.
func Dial(ctx context.Context, network, address string) (Conn, error) {
	return new(Dialer).DialContext(ctx, network, address)
}

// DialTimeout is [Dial] with a time limit, like reactor.Timeout.
func DialTimeout(ctx context.Context, network, address string, timeout time.Duration) (Conn, error) {
	return (&Dialer{Timeout: timeout}).DialContext(ctx, network, address)
}

// Dial is [Dialer.DialContext] for code that has no ctx. d must have a Loop. A
// task of that loop obeys its innermost scope.
func (d *Dialer) Dial(network, address string) (Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext connects to an address and returns a [*TCPConn], [*UDPConn] or
// [*UnixConn]. The networks are "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6",
// "unix", "unixgram" and "unixpacket"; addresses are as for the standard
// library's Dial. The addresses of a name are tried until one answers; see
// FallbackDelay.
//
// ctx must belong to a loop, or d must have one. When ctx is done the dial
// fails, but a connection already made is not affected. Each address gets a
// part of the time until ctx's deadline, at least two seconds if that much is
// left. The error is the [*OpError] of the first address; if ctx is done first
// it wraps ctx's error. The hooks that ctx has from net/http/httptrace are
// called as in the standard library. DialContext may be called from any
// goroutine.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (Conn, error) {
	if l := d.goesApart(ctx); l != nil {
		return d.dialApart(ctx, l, network, address)
	}
	return dialOnLoop(ctx, d, network, nil, nil, func(ctx context.Context) (Conn, error) {
		return d.dial(ctx, network, address)
	})
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
		return nil, opError("dial", network, d.LocalAddr, to, err)
	}
	return c, nil
}

func (d *Dialer) toUDP(ctx context.Context, network string, to Addr) (Conn, error) {
	local, _ := d.LocalAddr.(*UDPAddr)
	c, err := dialUDP(ctx, network, local, to.(*UDPAddr), d.control())
	if err != nil {
		return nil, opError("dial", network, d.LocalAddr, to, err)
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
			return nil, opError("dial", network, d.LocalAddr, peer, err)
		}
		return c, nil
	}
	return (&dialing{d, network, one}).single(ctx, peer)
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
