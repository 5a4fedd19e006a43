package net

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// A socketSpec describes a socket to make; see makeSocket.
type socketSpec struct {
	network string // as given by the user: "tcp", "udp6", "unixgram"
	family  int    // AF_INET, AF_INET6 or AF_UNIX
	typ     int    // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
	dual    bool   // an AF_INET6 socket must take IPv4 too, or fail with errNotDual
	local   Addr   // address to bind, or nil
	peer    Addr   // address to connect to, or nil

	// set sets further options. control is the user's, and is called after it.
	// Either may be nil.
	set     func(sys sockets.Calls, fd int) error
	control controlFunc
}

// A controlFunc is a Dialer's or ListenConfig's Control. It is called with the
// network with a family: "tcp4" or "tcp6", not "tcp".
type controlFunc func(ctx context.Context, network, address string, c syscall.RawConn) error

// errNotDual is the error of a system whose IPv6 sockets do not accept IPv4, as
// on OpenBSD and DragonFly.
var errNotDual = errors.New("the system has no sockets for both IPv6 and IPv4")

// makeSocket makes a socket for ctx's loop, sets the options that the standard
// library sets, calls control, and binds it. The caller must connect it or
// listen, and then open an FD for it; until then the caller must close fd if it
// fails. On an error there is no fd.
func makeSocket(ctx context.Context, s socketSpec) (sys sockets.Calls, fd int, err error) {
	sys = socketsFor(ctx)
	if fd, err = sys.Socket(s.family, s.typ, 0); err != nil {
		return nil, -1, os.NewSyscallError("socket", err)
	}
	prepared := false
	defer func(sys sockets.Calls, fd int) { // also if control panics
		if !prepared {
			sys.Close(fd)
		}
	}(sys, fd)
	if err := s.prepare(ctx, sys, fd); err != nil {
		return nil, -1, err
	}
	prepared = true
	return sys, fd, nil
}

func (s *socketSpec) prepare(ctx context.Context, sys sockets.Calls, fd int) error {
	if err := s.setDefaults(sys, fd); err != nil {
		return err
	}
	if s.set != nil {
		if err := s.set(sys, fd); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if s.control != nil {
		if err := s.show(ctx, fd); err != nil {
			return err
		}
	}
	if s.local == nil {
		return nil
	}
	local, err := sockaddrFor(s.family, s.local)
	if err != nil {
		return err
	}
	return os.NewSyscallError("bind", sys.Bind(fd, local))
}

func (s *socketSpec) setDefaults(sys sockets.Calls, fd int) error {
	if s.family == unix.AF_INET6 {
		only := strings.HasSuffix(s.network, "6")
		err := sys.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, boolInt(only))
		if err != nil && s.dual {
			return errNotDual
		}
	}
	if s.typ == unix.SOCK_DGRAM && s.family != unix.AF_UNIX {
		return os.NewSyscallError("setsockopt", sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1))
	}
	return nil
}

// show calls control with the socket and the peer's address, or the local one
// if there is no peer.
func (s *socketSpec) show(ctx context.Context, fd int) error {
	address := ""
	switch {
	case s.peer != nil:
		address = s.peer.String()
	case s.local != nil:
		address = s.local.String()
	}
	c := &newSocket{fd: fd}
	return byCaller(ctx, func() error {
		defer c.forget()
		return s.control(callers(ctx), s.settled(), address, c)
	})
}

// settled returns the network with the family that was chosen.
func (s *socketSpec) settled() string {
	if s.family == unix.AF_UNIX || strings.HasSuffix(s.network, "4") || strings.HasSuffix(s.network, "6") {
		return s.network
	}
	if s.family == unix.AF_INET {
		return s.network + "4"
	}
	return s.network + "6"
}

// A newSocket is the RawConn that a Control gets: it can't wait, and is invalid
// after Control has returned.
type newSocket struct{ fd int }

func (c *newSocket) forget() { c.fd = -1 }

func (c *newSocket) Control(f func(fd uintptr)) error {
	if c.fd < 0 {
		return ErrClosed
	}
	f(uintptr(c.fd))
	return nil
}

func (c *newSocket) Read(func(fd uintptr) bool) error { return syscall.EINVAL }

func (c *newSocket) Write(func(fd uintptr) bool) error { return syscall.EINVAL }
