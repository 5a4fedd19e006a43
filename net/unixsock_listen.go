package net

import (
	"context"
	"syscall"
)

// A UnixListener listens for connections of a Unix-domain socket, "unix" or
// "unixpacket". Its methods may be called from any goroutine, and closing it
// removes the socket's file.
type UnixListener struct{ listener }

// ListenUnix listens for connections at laddr. The networks are "unix" and
// "unixpacket". On Linux an empty name makes the kernel choose an abstract one.
// ctx must belong to a loop, which closes the listener when it ends. ListenUnix
// may be called from any goroutine.
func ListenUnix(ctx context.Context, network string, laddr *UnixAddr) (*UnixListener, error) {
	l, err := onLoop(ctx, func(ctx context.Context) (*UnixListener, error) {
		return listenUnix(ctx, network, laddr, new(ListenConfig))
	})
	if err != nil {
		return nil, opError("listen", network, nil, given(laddr), err)
	}
	return l, nil
}

// listenUnix does the work of ListenUnix.
func listenUnix(ctx context.Context, network string, laddr *UnixAddr, lc *ListenConfig) (*UnixListener, error) {
	if network != "unix" && network != "unixpacket" {
		return nil, UnknownNetworkError(network)
	}
	if laddr == nil {
		return nil, errMissingAddress
	}
	l := &UnixListener{}
	l.path = fileOfSocket(laddr.Name)
	l.unlinks.Store(true)
	if err := l.listen(ctx, unixSpec(network, laddr, lc.control()), lc.Backlog); err != nil {
		return nil, err
	}
	return l, nil
}

// fileOfSocket returns the file of a Unix socket with a name: "" if it has
// none. On Linux abstract names, which begin with '@' or a zero byte, have
// none.
func fileOfSocket(name string) string {
	if name == "" || name[0] == '@' || name[0] == 0 {
		return ""
	}
	return name
}

// SetUnlinkOnClose sets whether closing the listener removes the socket's file;
// by default it does, unless [FileListener] made the listener.
func (l *UnixListener) SetUnlinkOnClose(unlink bool) {
	if !l.ok() {
		return
	}
	l.unlinks.Store(unlink)
}

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
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	c := &UnixConn{}
	if err := l.acceptInto(&c.conn); err != nil {
		return nil, err
	}
	return c, nil
}

func (l *UnixListener) acceptInto(c *conn) error {
	if err := l.accept(c); err != nil {
		return l.failed("accept", err)
	}
	return nil
}

// ListenUnixgram makes a datagram socket that is bound to laddr; the network is
// "unixgram". On Linux an empty name makes the kernel choose an abstract one.
// Closing the socket does not remove its file, as with the standard library.
// ctx must belong to a loop, which closes the socket when it ends.
// ListenUnixgram may be called from any goroutine.
func ListenUnixgram(ctx context.Context, network string, laddr *UnixAddr) (*UnixConn, error) {
	c, err := onLoop(ctx, func(ctx context.Context) (*UnixConn, error) {
		if network != "unixgram" {
			return nil, UnknownNetworkError(network)
		}
		return listenUnixgram(ctx, laddr, new(ListenConfig))
	})
	if err != nil {
		return nil, opError("listen", network, nil, given(laddr), err)
	}
	return c, nil
}

// listenUnixgram does the work of ListenUnixgram.
func listenUnixgram(ctx context.Context, laddr *UnixAddr, lc *ListenConfig) (*UnixConn, error) {
	if laddr == nil {
		return nil, errMissingAddress
	}
	c := newUnixConn("unixgram")
	return c.orNil(c.bind(ctx, unixSpec("unixgram", laddr, lc.control())))
}
