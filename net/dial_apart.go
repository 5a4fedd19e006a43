package net

import (
	"context"
	stdnet "net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// dialApart dials for a goroutine, like std: it needs no turn of the loop, and
// the connection belongs to the goroutine until a task of l uses it.
func (d *Dialer) dialApart(ctx context.Context, l *reactor.Loop, network, address string) (Conn, error) {
	std := &stdnet.Dialer{
		Timeout: d.Timeout, Deadline: d.Deadline, LocalAddr: d.LocalAddr, FallbackDelay: d.FallbackDelay,
		KeepAlive: d.KeepAlive, KeepAliveConfig: d.KeepAliveConfig, Resolver: d.Resolver,
	}
	if control := d.control(); control != nil {
		std.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			return closingUnlessItReturns(c, func() error { return control(ctx, network, address, c) })
		}
	}
	std.SetMultipathTCP(false)
	c, err := std.DialContext(ctx, network, address)
	if op, ok := err.(*OpError); ok && op.Err == os.ErrDeadlineExceeded {
		op.Err = context.DeadlineExceeded // std's error is either, as its timers happen to run
	}
	if err != nil {
		return nil, err
	}
	own, err := adopt(l, network, c)
	if err != nil {
		return nil, opError("dial", network, c.LocalAddr(), c.RemoteAddr(), err)
	}
	return own, nil
}

// closingUnlessItReturns calls a Control, and closes the socket if that panics,
// or exits its goroutine as a test's Fatal does. Std would leave it open then.
func closingUnlessItReturns(c syscall.RawConn, control func() error) error {
	returned := false
	defer func() {
		if !returned {
			c.Control(func(fd uintptr) { unix.Close(int(fd)) })
		}
	}()
	err := control()
	returned = true
	return err
}

// adopt makes a conn of this package from one of std's, which it closes.
func adopt(l *reactor.Loop, network string, std stdnet.Conn) (Conn, error) {
	defer std.Close()
	f, err := std.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		return nil, err
	}
	var own Conn
	var c *conn
	switch std.(type) {
	case *stdnet.TCPConn:
		t := newTCPConn()
		own, c = t, &t.conn
	case *stdnet.UDPConn:
		u := newUDPConn(network, familyOf(f))
		own, c = u, &u.conn
	default:
		u := newUnixConn(network)
		own, c = u, &u.conn
	}
	c.network, c.local, c.peer = network, std.LocalAddr(), std.RemoteAddr()
	c.use(sockets.System{})
	if err := c.fd.OpenFile(l, f, &c.kind); err != nil {
		return nil, err
	}
	return own, nil
}

// familyOf returns the address family of an internet socket.
func familyOf(f syscall.Conn) int {
	family := unix.AF_INET
	raw, err := f.SyscallConn()
	if err != nil {
		return family
	}
	raw.Control(func(fd uintptr) {
		if local, err := unix.Getsockname(int(fd)); err == nil {
			if _, ok := local.(*unix.SockaddrInet6); ok {
				family = unix.AF_INET6
			}
		}
	})
	return family
}

// goesApart returns the loop of a dial if the caller is a goroutine that can
// dial without it, and else nil.
func (d *Dialer) goesApart(ctx context.Context) *reactor.Loop {
	if l := d.loop(ctx); l != nil && ctx.Err() == nil && l.Core().Apart() {
		return l
	}
	return nil
}
