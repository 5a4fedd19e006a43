package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// Dial connects to an address and returns a [*TCPConn] or [*UnixConn]. The
// networks are "tcp", "tcp4", "tcp6" and "unix"; addresses are as for the
// standard library's Dial. If a name stands for several addresses they are tried
// one after the other, until one answers.
//
// ctx must belong to a loop, and bounds the whole of it: use reactor.Timeout to
// set a limit. The error is an [*OpError]; when ctx is done first it holds ctx's
// error. Dial may be called from any goroutine.
func Dial(ctx context.Context, network, address string) (Conn, error) {
	c, err := onLoop(ctx, func(ctx context.Context) (Conn, error) { return dial(ctx, network, address) })
	if err != nil {
		return nil, opError("dial", network, nil, err)
	}
	return c, nil
}

// onLoop does f on the loop of ctx, whether or not the caller is its running task.
func onLoop[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	if reactor.InTask(ctx) {
		return under(ctx, f)
	}
	l := reactor.LoopOf(ctx)
	if l == nil {
		return none, errNoLoop
	}
	v, err := reactor.Submit(l, f)(ctx)
	if err == reactor.ErrLoopClosed {
		err = ErrClosed
	}
	return v, err
}

// under does f in a scope of its own below ctx, which may be a context of
// anybody's making: what waits for an FD obeys the innermost scope.
func under[T any](ctx context.Context, f func(context.Context) (T, error)) (v T, err error) {
	err = reactor.Scope(ctx, func(ctx context.Context, _ *reactor.CancelScope) (err error) {
		v, err = f(ctx)
		return err
	})
	return v, err
}

var errNoLoop = errors.New("ctx belongs to no loop: call this in reactor.Run, with the ctx that a task's function receives")

// opError makes an *OpError of err, unless it is one already.
func opError(op, network string, addr Addr, err error) error {
	if _, wrapped := err.(*OpError); wrapped {
		return err
	}
	return &OpError{Op: op, Net: network, Addr: addr, Err: plain(err)}
}

func dial(ctx context.Context, network, address string) (Conn, error) {
	switch network {
	case "unix":
		name := &UnixAddr{Name: address, Net: "unix"}
		c := &UnixConn{}
		if err := c.connect(ctx, unix.AF_UNIX, &unix.SockaddrUnix{Name: address}); err != nil {
			return nil, opError("dial", network, name, err)
		}
		c.peer = name
		return c, nil
	case "tcp", "tcp4", "tcp6":
		return dialTCP(ctx, network, address)
	}
	return nil, UnknownNetworkError(network)
}

func dialTCP(ctx context.Context, network, address string) (Conn, error) {
	addrs, err := resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 1 && addrs[0].Addr() == netip.IPv6Unspecified() && network == "tcp" {
		// As std does, for machines that can listen on [::] but not connect to it.
		addrs = append(addrs, netip.AddrPortFrom(netip.IPv4Unspecified(), addrs[0].Port()))
	}
	var first error
	for _, a := range addrs {
		a = orLoopback(a, network)
		c, err := dialOne(ctx, a)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = opError("dial", network, stdnet.TCPAddrFromAddrPort(a), err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func dialOne(ctx context.Context, a netip.AddrPort) (*TCPConn, error) {
	for {
		c := &TCPConn{}
		c.tcp = true
		if err := c.connect(ctx, family(a), sockaddr(a)); err != nil {
			return nil, err
		}
		if c.local.String() == c.peer.String() {
			// The kernel chose the port that was dialled as the local one, and
			// connected the socket to itself (TCP's simultaneous open).
			c.Close()
			continue
		}
		if err := c.setDefaults(); err != nil {
			c.Close()
			return nil, err
		}
		return c, nil
	}
}

// orLoopback makes the address to dial of one without a host: this machine.
func orLoopback(a netip.AddrPort, network string) netip.AddrPort {
	switch {
	case a.Addr().IsValid():
		return a
	case network == "tcp6":
		return netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
}

// connect makes c a socket that is connected to addr.
func (c *conn) connect(ctx context.Context, family int, addr unix.Sockaddr) error {
	sys := reactor.Sockets(ctx)
	fd, err := sys.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := c.open(ctx, sys, fd, sys.Connect(fd, addr)); err != nil {
		return err
	}
	if err := c.connected(); err != nil {
		c.fd.Close()
		return err
	}
	return nil
}

// open puts fd under the loop, after connect(2) has returned err.
func (c *conn) open(ctx context.Context, sys eddy.Sockets, fd int, err error) error {
	switch err {
	case nil, unix.EINPROGRESS, unix.EINTR:
		err = c.fd.Open(ctx, fd, sys.Close)
	default:
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		sys.Close(fd)
		return err
	}
	c.sys = sys
	return nil
}

// connected waits until the connection is made or refused. A socket that is
// neither counts as writable on some kernels, so its peer is asked for.
func (c *conn) connected() error {
	for {
		fd := c.fd.Sysfd()
		code, err := c.sys.GetInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = syscall.Errno(code)
		}
		if err != nil {
			return os.NewSyscallError("connect", err)
		}
		if peer, err := c.sys.PeerAddr(fd); err == nil {
			c.peer = address(peer)
			return c.name()
		}
		c.fd.WriteBlocked()
		if err := c.fd.WaitWrite(); err != nil {
			return err
		}
	}
}

// name asks the kernel for the address of this end.
func (c *conn) name() error {
	local, err := c.sys.LocalAddr(c.fd.Sysfd())
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	c.local = address(local)
	return nil
}
