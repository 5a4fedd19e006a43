package net

import (
	"context"
	stdnet "net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// Listen announces on a local address and returns a [*TCPListener] or
// [*UnixListener]. The networks are "tcp", "tcp4", "tcp6" and "unix"; addresses
// are as for the standard library's Listen: without a host all local addresses
// are meant, and port 0 chooses one. The file of a Unix socket is removed when
// the listener is closed.
//
// ctx must belong to a loop, which closes the listener when it ends. Listen may
// be called from any goroutine.
func Listen(ctx context.Context, network, address string) (Listener, error) {
	ln, err := onLoop(ctx, func(ctx context.Context) (Listener, error) {
		switch network {
		case "unix":
			return listenUnix(ctx, address)
		case "tcp", "tcp4", "tcp6":
			return listenTCP(ctx, network, address)
		}
		return nil, UnknownNetworkError(network)
	})
	if err != nil {
		return nil, opError("listen", network, nil, err)
	}
	return ln, nil
}

func listenTCP(ctx context.Context, network, address string) (Listener, error) {
	addrs, err := resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	a, l := addrs[0], &TCPListener{}
	for _, b := range addrs { // a name's IPv4 address serves most, as in std
		if b.Addr().Is4() {
			a = b
			break
		}
	}
	switch { // std takes "0.0.0.0" and "[::]" for no host, too
	case a.Addr().IsValid() && !a.Addr().IsUnspecified():
		err = l.listen(ctx, family(a), sockaddr(a))
	case network == "tcp4":
		err = l.listen(ctx, unix.AF_INET, sockaddr(netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())))
	default:
		l.dual = network == "tcp"
		err = l.listen(ctx, unix.AF_INET6, sockaddr(netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())))
		if network == "tcp" && isNoIPv6(err) {
			err = l.listen(ctx, unix.AF_INET, sockaddr(netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())))
		}
	}
	if err != nil {
		var at Addr
		if a.Addr().IsValid() {
			at = stdnet.TCPAddrFromAddrPort(a)
		}
		return nil, opError("listen", network, at, err)
	}
	return l, nil
}

func isNoIPv6(err error) bool {
	se, ok := err.(*os.SyscallError)
	return ok && (se.Err == unix.EAFNOSUPPORT || se.Err == unix.EADDRNOTAVAIL || se.Err == unix.EPROTONOSUPPORT)
}

func listenUnix(ctx context.Context, path string) (Listener, error) {
	l := &UnixListener{}
	if path != "" && path[0] != '@' { // '@' stands for Linux's abstract names, which are no files
		l.path = path
	}
	if err := l.listen(ctx, unix.AF_UNIX, &unix.SockaddrUnix{Name: path}); err != nil {
		return nil, opError("listen", "unix", &UnixAddr{Name: path, Net: "unix"}, err)
	}
	return l, nil
}

// listener is what TCPListener and UnixListener have in common.
type listener struct {
	fd   reactor.FD
	sys  eddy.Sockets
	addr Addr
	dual bool   // IPv6 that takes IPv4 too
	path string // of a Unix socket, the file to be removed
}

// backlog is how many connections may wait to be accepted. The kernel makes the
// least of it and its own limit.
const backlog = 65535

func (l *listener) listen(ctx context.Context, family int, addr unix.Sockaddr) error {
	sys := reactor.Sockets(ctx)
	fd, err := sys.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	if err := l.prepare(sys, fd, family, addr); err != nil {
		sys.Close(fd)
		return err
	}
	l.sys = sys
	if err := l.fd.Open(ctx, fd, l.shut); err != nil {
		l.shut(fd)
		return err
	}
	return nil
}

// shut closes the socket, be it at Close or at the loop's end.
func (l *listener) shut(fd int) error {
	if l.path != "" {
		// Before the close: afterwards the file could be another listener's.
		syscall.Unlink(l.path)
	}
	return l.sys.Close(fd)
}

func (l *listener) prepare(sys eddy.Sockets, fd, family int, addr unix.Sockaddr) error {
	if family != unix.AF_UNIX {
		if err := sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if family == unix.AF_INET6 {
		if err := sys.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(!l.dual)); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := setListenerDefaults(sys.SetInt, fd, family); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := sys.Bind(fd, addr); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if err := sys.Listen(fd, backlog); err != nil {
		return os.NewSyscallError("listen", err)
	}
	local, err := sys.LocalAddr(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	l.addr = address(local)
	return nil
}

// accept waits for a connection and opens c for it.
func (l *listener) accept(c *conn) error {
	for {
		if err := l.fd.WaitRead(); err != nil {
			return err
		}
		fd, peer, err := l.sys.Accept(l.fd.Sysfd())
		switch err {
		case nil:
			return l.open(c, fd, peer)
		case unix.EAGAIN:
			l.fd.ReadBlocked()
		case unix.EINTR, unix.ECONNABORTED: // gone before it was accepted
		default:
			return os.NewSyscallError("accept", err)
		}
	}
}

func (l *listener) open(c *conn, fd int, peer unix.Sockaddr) error {
	if err := c.fd.OpenLike(&l.fd, fd, l.sys.Close); err != nil {
		l.sys.Close(fd)
		return err
	}
	c.sys, c.peer, c.local = l.sys, address(peer), l.addr
	if a, ok := l.addr.(*TCPAddr); ok && a.IP.IsUnspecified() {
		if err := c.name(); err != nil {
			c.fd.Close()
			return err
		}
	}
	return nil
}

func (l *listener) failed(op string, err error) error {
	return opError(op, l.addr.Network(), l.addr, err)
}

// Close stops listening: Accept returns with [ErrClosed]. Connections that were
// accepted stay open.
func (l *listener) Close() error {
	if l == nil || l.sys == nil {
		return syscall.EINVAL
	}
	return closeFD(&l.fd, func(err error) error { return l.failed("close", err) })
}

// Addr returns the address that it listens on.
func (l *listener) Addr() Addr { return l.addr }

// SetDeadline sets the time after which Accept fails with
// [os.ErrDeadlineExceeded]; the zero t means none.
func (l *listener) SetDeadline(t time.Time) error {
	if l == nil || l.sys == nil {
		return syscall.EINVAL
	}
	if !l.fd.OnLoop() {
		_, err := elsewhere(&l.fd, func() (struct{}, error) { return struct{}{}, l.SetDeadline(t) })
		return err
	}
	if err := l.fd.SetReadDeadline(t); err != nil {
		return l.failed("set", err)
	}
	return nil
}

// A TCPListener listens for TCP connections. Its methods may be called from any
// goroutine.
type TCPListener struct{ listener }

// Accept waits for the next connection.
func (l *TCPListener) Accept() (Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the connection's own type.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	if l == nil || l.sys == nil {
		return nil, syscall.EINVAL
	}
	if !l.fd.OnLoop() {
		return elsewhere(&l.fd, l.AcceptTCP)
	}
	c := &TCPConn{}
	c.tcp = true
	if err := l.accept(&c.conn); err != nil {
		return nil, l.failed("accept", err)
	}
	if err := c.setAcceptedDefaults(); err != nil {
		c.Close()
		return nil, l.failed("accept", err)
	}
	return c, nil
}

// A UnixListener listens for connections of a Unix-domain stream socket. Its
// methods may be called from any goroutine, and closing it removes the socket's
// file.
type UnixListener struct{ listener }

// Accept waits for the next connection.
func (l *UnixListener) Accept() (Conn, error) {
	c, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptUnix is Accept with the connection's own type.
func (l *UnixListener) AcceptUnix() (*UnixConn, error) {
	if l == nil || l.sys == nil {
		return nil, syscall.EINVAL
	}
	if !l.fd.OnLoop() {
		return elsewhere(&l.fd, l.AcceptUnix)
	}
	c := &UnixConn{}
	if err := l.accept(&c.conn); err != nil {
		return nil, l.failed("accept", err)
	}
	return c, nil
}
