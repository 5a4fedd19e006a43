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

// Listen announces on a local address as the zero [ListenConfig] does: see
// [ListenConfig.Listen].
func Listen(ctx context.Context, network, address string) (Listener, error) {
	return new(ListenConfig).Listen(ctx, network, address)
}

// listener is what TCPListener and UnixListener have in common.
type listener struct {
	fd      reactor.FD
	sys     eddy.Sockets
	network string // as the user named it
	addr    Addr
	path    string  // of a Unix socket, the file to be removed
	latest  *origin // of the connection that was accepted last
}

// defaultBacklog is how many connections may wait to be accepted. The kernel
// makes the least of it and its own limit.
const defaultBacklog = 65535

// listen makes l a socket that listens; 0 is the default backlog.
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
		l.sys = sys
		l.shut(fd)
		return err
	}
	return l.open(ctx, sys, fd)
}

// open puts fd, a socket that listens, under the loop; it is l's from now on.
func (l *listener) open(ctx context.Context, sys eddy.Sockets, fd int) error {
	l.sys = sys
	local, err := sys.LocalAddr(fd)
	if err == nil {
		l.addr = addressOn(l.network, local)
		err = l.fd.Open(ctx, fd, l.shut)
	} else {
		err = os.NewSyscallError("getsockname", err)
	}
	if err != nil {
		l.shut(fd)
	}
	return err
}

// shut closes the socket, be it at Close or at the loop's end.
func (l *listener) shut(fd int) error {
	if l.path != "" {
		// Before the close: afterwards the file could be another listener's.
		l.unlink()
	}
	return l.sys.Close(fd)
}

func (l *listener) unlink() {
	if own, ok := l.sys.(eddy.Unlinker); ok {
		own.Unlink(l.path)
		return
	}
	syscall.Unlink(l.path)
}

// accept waits for a connection and opens c for it.
func (l *listener) accept(c *conn) error {
	for {
		if err := l.fd.WaitRead(); err != nil {
			return err
		}
		fd, peer, err := l.acceptFD()
		switch err {
		case nil:
			return l.openAccepted(c, fd, peer)
		case unix.EAGAIN:
			l.fd.ReadBlocked()
		case unix.EINTR, unix.ECONNABORTED: // gone before it was accepted
		default:
			return os.NewSyscallError("accept", err)
		}
	}
}

func (l *listener) openAccepted(c *conn, fd int, peer unix.Sockaddr) error {
	if err := c.fd.OpenLike(&l.fd, fd, l.sys.Close); err != nil {
		l.sys.Close(fd)
		return err
	}
	local := l.addr
	if a, ok := l.addr.(*TCPAddr); ok && a.IP.IsUnspecified() {
		sa, err := l.sys.LocalAddr(fd)
		if err != nil {
			c.fd.Close()
			return os.NewSyscallError("getsockname", err)
		}
		local = addressOn(l.network, sa)
	}
	c.origin, c.peer = l.originAt(local), compact(l.network, peer)
	return nil
}

// originAt returns the origin of connections that were accepted at an address:
// mostly that of the one before.
func (l *listener) originAt(local Addr) *origin {
	if l.latest == nil || !sameAddr(l.latest.local, local) {
		l.latest = &origin{sys: l.sys, network: l.network, local: local, tcp: isTCP(l.network)}
	}
	return l.latest
}

func (l *listener) ok() bool { return l != nil && l.sys != nil }

func (l *listener) failed(op string, err error) error {
	return opError(op, l.network, l.addr, err)
}

// Close stops listening: Accept returns with [ErrClosed]. Connections that were
// accepted stay open.
func (l *listener) Close() error {
	if !l.ok() {
		return syscall.EINVAL
	}
	return closeFD(&l.fd, func(err error) error { return l.failed("close", err) })
}

// Addr returns the address that it listens on.
func (l *listener) Addr() Addr { return l.addr }

// SetDeadline sets the time after which Accept fails with
// [os.ErrDeadlineExceeded]; the zero t means none.
func (l *listener) SetDeadline(t time.Time) error {
	if !l.ok() {
		return syscall.EINVAL
	}
	if !l.fd.OnLoop() {
		asked := nowElsewhere(&l.fd, t)
		_, err := elsewhere(&l.fd, func() (struct{}, error) { return struct{}{}, l.SetDeadline(rebased(t, asked)) })
		return err
	}
	if err := l.fd.SetReadDeadline(t); err != nil {
		return l.failed("set", err)
	}
	return nil
}
