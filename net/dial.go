package net

import (
	"context"
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
	// names of their own, see [sockets.Resolver].
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

// Dial connects to an address as the zero [Dialer] does: see
// [Dialer.DialContext]. reactor.Timeout sets a limit.
func Dial(ctx context.Context, network, address string) (Conn, error) {
	return new(Dialer).DialContext(ctx, network, address)
}

// DialTimeout is [Dial] with a limit, which may as well be set by reactor.Timeout.
func DialTimeout(ctx context.Context, network, address string, timeout time.Duration) (Conn, error) {
	return (&Dialer{Timeout: timeout}).DialContext(ctx, network, address)
}

// Dial is [Dialer.DialContext] for code that has no ctx. d must have a Loop: a task
// of that obeys the scope that it is in.
func (d *Dialer) Dial(network, address string) (Conn, error) {
	return d.DialContext(context.Background(), network, address)
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
