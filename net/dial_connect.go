package net

import (
	"context"
	"os"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// connect makes a socket for c and connects it to s.peer.
func (c *conn) connect(ctx context.Context, s socketSpec) error {
	sys, fd, err := makeSocket(ctx, s)
	if err != nil {
		return err
	}
	peer, err := sockaddrFor(s.family, s.peer)
	if err != nil {
		sys.Close(fd)
		return err
	}
	connecting := sys.Connect(fd, orLoopback(peer))
	if err := c.open(ctx, sys, fd, connecting); err != nil {
		return err
	}
	if connecting == nil {
		err = c.connectedTo(s.peer)
	} else {
		err = c.connected(ctx)
	}
	if err != nil {
		c.fd.Close()
	}
	return err
}

// connectedTo sets the addresses of a socket that was connected at once. Some
// kernels report no peer for a datagram socket connected to port 0.
func (c *conn) connectedTo(peer Addr) error {
	c.peer = peer
	if sa, err := c.sys.PeerAddr(c.fd.Sysfd()); err == nil {
		c.peer = addressOn(c.network, sa)
	}
	return c.name()
}

// open opens c with fd, after connect(2) has returned err.
func (c *conn) open(ctx context.Context, sys sockets.Calls, fd int, err error) error {
	switch err {
	case nil, unix.EINPROGRESS, unix.EINTR:
		c.use(sys)
		if l := loopApart(ctx); l != nil {
			return c.fd.OpenApart(l, fd, &c.kind)
		}
		err = c.fd.Open(ctx, fd, &c.kind)
	default:
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		sys.Close(fd)
		return err
	}
	return nil
}

// connected waits until the connection is made or refused. On some kernels a
// socket that is neither counts as writable, so it checks for a peer.
func (c *conn) connected(ctx context.Context) error {
	done := func(fd int) (bool, error) {
		code, err := c.sys.GetInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = syscall.Errno(code)
		}
		if err != nil {
			return false, os.NewSyscallError("connect", err)
		}
		peer, err := c.sys.PeerAddr(fd)
		if err != nil {
			return false, nil
		}
		c.peer = addressOn(c.network, peer)
		return true, c.name()
	}
	if loopApart(ctx) != nil {
		return c.fd.ConnectedApart(ctx, done)
	}
	return c.fd.Connected(done)
}

// name asks the kernel for the address of this end.
func (c *conn) name() error {
	local, err := c.sys.LocalAddr(c.fd.Sysfd())
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	c.local = addressOn(c.network, local)
	return nil
}
