package net

import (
	"context"
	"io"
	stdnet "net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// File returns another descriptor of the connection's socket, as a file, for
// example to pass to a child process. Closing either does not affect the other,
// but they share the properties of the socket. The file's Fd, and so a child
// process that gets the file, makes the socket a blocking one, as with std. The
// connection then goes on a little slower: it makes only calls that do not wait
// even on a blocking socket, and no sendfile or splice. A function passed to
// its SyscallConn's methods must ensure that itself, by MSG_DONTWAIT.
//
// It fails on a simulated network. It may be called from any goroutine.
func (c *conn) File() (f *os.File, err error) {
	err = c.control("file", func(fd int) error {
		if f, err = fileOf(c.sys, fd, c.datagram); err == nil {
			c.fd.Share()
		}
		return err
	})
	return f, err
}

// File returns another descriptor of the listener's socket, as a file, for
// example to pass to a successor. Closing either does not affect the other: as
// long as one is open the kernel takes connections. The file's Fd, and so a
// child process that gets the file, makes the socket a blocking one, as with
// std. Then each Accept makes it nonblocking for an instant, in which the child
// may get EAGAIN; a child avoids that by making the socket nonblocking.
//
// It fails on a simulated network. It may be called from any goroutine.
func (l *listener) File() (*os.File, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	var f *os.File
	err := l.fd.Control(func(fd int) (err error) {
		if f, err = fileOf(l.sys, fd, false); err == nil {
			l.fd.Share()
		}
		return err
	})
	if err != nil {
		return nil, l.failed("file", err)
	}
	return f, nil
}

// fileOf returns a file that is another descriptor of a socket. It is made by
// the standard library's net, because only such a file makes the socket a
// blocking one when its Fd method is called.
func fileOf(sys sockets.Calls, fd int, datagram bool) (*os.File, error) {
	dup, err := sys.Dup(fd)
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	own := os.NewFile(uintptr(dup), "socket")
	defer own.Close()
	flags, err := unix.FcntlInt(uintptr(dup), unix.F_GETFL, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if flags&unix.O_NONBLOCK == 0 { // because of an earlier File; std changes that
		defer unix.SetNonblock(fd, false)
	}
	std, err := stdSocket(own, datagram)
	if err != nil {
		return nil, err
	}
	defer std.Close()
	return std.File()
}

// stdSocket returns a std socket of a file, of a type that sets no options.
func stdSocket(f *os.File, datagram bool) (std interface {
	io.Closer
	File() (*os.File, error)
}, err error) {
	var v any
	if datagram {
		v, err = stdnet.FilePacketConn(f)
	} else {
		v, err = stdnet.FileListener(f) // works whether or not it listens
	}
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *stdnet.TCPListener:
		return v, nil
	case *stdnet.UnixListener:
		return v, nil
	case *stdnet.UDPConn:
		return v, nil
	case *stdnet.UnixConn:
		return v, nil
	}
	v.(io.Closer).Close()
	return nil, syscall.EINVAL
}

// FileConn makes a connection from a file that is a connected socket. It uses a
// duplicate of f's descriptor; the caller must close f. The result is a
// [*TCPConn], [*UDPConn] or [*UnixConn], which behaves like one whose File
// method was called. ctx must belong to a loop. It may be called from any
// goroutine.
func FileConn(ctx context.Context, f *os.File) (Conn, error) {
	return fromFile(ctx, f, func(s *fileSocket) (Conn, error) {
		switch s.network() {
		case "tcp":
			c := newTCPConn()
			if err := s.openConn(&c.conn); err != nil {
				return nil, err
			}
			setTCPOptions(c.sys, c.fd.Sysfd(), keepAliveFor(0, KeepAliveConfig{}))
			return c, nil
		case "udp":
			c := newUDPConn("udp", s.family())
			return c, s.openConn(&c.conn)
		case "unix", "unixgram", "unixpacket":
			c := newUnixConn(s.network())
			return c, s.openConn(&c.conn)
		}
		return nil, syscall.EPROTONOSUPPORT
	})
}

// FilePacketConn makes a [*UDPConn] or [*UnixConn] from a file that is a
// datagram socket. Otherwise it is like [FileConn].
func FilePacketConn(ctx context.Context, f *os.File) (PacketConn, error) {
	return fromFile(ctx, f, func(s *fileSocket) (PacketConn, error) {
		switch s.network() {
		case "udp":
			c := newUDPConn("udp", s.family())
			return c, s.openPackets(&c.packets)
		case "unix", "unixgram", "unixpacket":
			c := newUnixConn(s.network())
			return c, s.openPackets(&c.packets)
		}
		return nil, syscall.EINVAL
	})
}

// FileListener makes a [*TCPListener] or [*UnixListener] from a file that is a
// listening socket. Closing such a UnixListener does not remove the socket's
// file, unless [UnixListener.SetUnlinkOnClose] was called. Otherwise it is like
// [FileConn].
func FileListener(ctx context.Context, f *os.File) (Listener, error) {
	return fromFile(ctx, f, func(s *fileSocket) (Listener, error) {
		switch s.network() {
		case "tcp":
			l := &TCPListener{keepAlive: keepAliveFor(0, KeepAliveConfig{})}
			return l, s.openListener(&l.listener)
		case "unix", "unixpacket":
			l := &UnixListener{}
			if local, ok := s.local.(*unix.SockaddrUnix); ok {
				l.path = fileOfSocket(local.Name)
			}
			return l, s.openListener(&l.listener)
		}
		return nil, syscall.EINVAL
	})
}

// A fileSocket is a new descriptor of a file that should be a socket.
type fileSocket struct {
	ctx   context.Context
	sys   sockets.Calls
	fd    int
	typ   int
	local unix.Sockaddr
	taken bool // a conn or listener owns fd
}

// fromFile calls make with a file's socket, on the loop of ctx.
func fromFile[T any](ctx context.Context, f *os.File, make func(*fileSocket) (T, error)) (T, error) {
	v, err := onLoop(ctx, func(ctx context.Context) (none T, err error) {
		s := &fileSocket{ctx: ctx, sys: socketsFor(ctx)}
		if err := s.dup(f); err != nil {
			return none, err
		}
		v, err := make(s)
		if err == nil {
			return v, nil
		}
		if !s.taken {
			s.sys.Close(s.fd)
		}
		return none, err
	})
	if err != nil {
		name := "<nil>"
		if f != nil {
			name = f.Name()
		}
		return v, wrapInOpError("file", "file+net", nil, fileAddr(name), err)
	}
	return v, nil
}

// A fileAddr is a file's name as an address in errors.
type fileAddr string

func (fileAddr) Network() string  { return "file+net" }
func (a fileAddr) String() string { return string(a) }

// dup makes the descriptor. It does not use f.Fd, which would make the socket a
// blocking one.
func (s *fileSocket) dup(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(fd uintptr) { s.fd, failure = s.sys.Dup(int(fd)) })
	if err != nil {
		return err
	}
	if failure != nil {
		return os.NewSyscallError("dup", failure)
	}
	if err := s.learn(); err != nil {
		s.sys.Close(s.fd)
		return err
	}
	return nil
}

// learn gets the socket's family, type and other properties.
func (s *fileSocket) learn() (err error) {
	if s.typ, err = s.sys.GetInt(s.fd, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if s.local, err = s.sys.LocalAddr(s.fd); err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	return os.NewSyscallError("fcntl", unix.SetNonblock(s.fd, true))
}

func (s *fileSocket) family() int {
	switch s.local.(type) {
	case *unix.SockaddrInet4:
		return unix.AF_INET
	case *unix.SockaddrInet6:
		return unix.AF_INET6
	}
	return unix.AF_UNIX
}

// network returns the socket's network; "" if this package has no type for it.
func (s *fileSocket) network() string {
	_, local := s.local.(*unix.SockaddrUnix)
	switch {
	case local && s.typ == unix.SOCK_STREAM:
		return "unix"
	case local && s.typ == unix.SOCK_DGRAM:
		return "unixgram"
	case local && s.typ == unix.SOCK_SEQPACKET:
		return "unixpacket"
	case !local && s.typ == unix.SOCK_STREAM:
		return "tcp"
	case !local && s.typ == unix.SOCK_DGRAM:
		return "udp"
	}
	return ""
}

func (s *fileSocket) openConn(c *conn) error {
	s.taken = true
	c.network = s.network()
	if peer, err := s.sys.PeerAddr(s.fd); err == nil {
		c.peer = addressOn(c.network, peer)
	}
	c.local = addressOn(c.network, s.local)
	err := c.open(s.ctx, s.sys, s.fd, nil)
	c.fd.Share()
	return err
}

func (s *fileSocket) openPackets(c *packets) error {
	if err := s.openConn(&c.conn); err != nil {
		return err
	}
	return c.adopted(s.ctx)
}

func (s *fileSocket) openListener(l *listener) error {
	s.taken = true
	l.network = s.network()
	err := l.open(s.ctx, s.sys, s.fd)
	l.fd.Share()
	return err
}
