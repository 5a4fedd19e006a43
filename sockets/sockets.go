// Package sockets makes the kernel's socket calls, without ever waiting.
//
// [System] makes the real calls. Other implementations of [Calls] can take its
// place: a simulated network, or a test that injects faults.
//
// Package eddy tells which descriptors are ready, and package reactor waits
// when a call would block.
package sockets

import (
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Calls are the kernel's socket calls as an event loop needs them: every
// descriptor is nonblocking and close-on-exec, and no call waits. [System] is
// the real implementation; others can inject faults or simulate a network.
//
// Errors are bare errnos. EINTR may be returned: the caller must try again.
type Calls interface {
	// Socket makes a socket; see socket(2).
	Socket(family, typ, proto int) (fd int, err error)
	// Bind, Listen and Connect are bind(2), listen(2) and connect(2). A Connect
	// that can't complete at once fails with EINPROGRESS.
	Bind(fd int, addr unix.Sockaddr) error
	Listen(fd, backlog int) error
	Connect(fd int, addr unix.Sockaddr) error
	// Accept takes a connection from a listener's queue, or fails with EAGAIN.
	Accept(fd int) (conn int, peer unix.Sockaddr, err error)
	// Read and Write move what they can, at least one byte unless p is empty.
	// Read returns 0 at the end of the input. They are the hot path: the error
	// is an Errno, 0 for none.
	Read(fd int, p []byte) (n int, errno syscall.Errno)
	Write(fd int, p []byte) (n int, errno syscall.Errno)
	// WriteBuffers writes bufs, in order, in one call: all of them, or as many
	// as the kernel takes at a time.
	WriteBuffers(fd int, bufs [][]byte) (n int, errno syscall.Errno)
	// Receive takes messages from the socket's queue into ms, as many as there
	// are, and returns how many. Send sends ms, and returns how many were
	// taken; on a stream a message may be sent in part, see its N. The flags
	// are those of recvmsg(2) and sendmsg(2). The Errno is set only if no
	// message moved.
	Receive(fd int, ms []Message, flags int) (n int, errno syscall.Errno)
	Send(fd int, ms []Message, flags int) (n int, errno syscall.Errno)
	// SendFile moves up to n bytes of a file, from offset on, to a socket, as
	// sendfile(2) does. It returns 0 at the end of the file. It fails with
	// ENOSYS or EINVAL if the kernel can't do this with these two: copy then.
	SendFile(fd, file int, offset int64, n int) (moved int, errno syscall.Errno)
	// Shutdown ends one or both directions; see shutdown(2).
	Shutdown(fd, how int) error
	// Dup makes another descriptor of the same socket; see dup(2).
	Dup(fd int) (int, error)
	// Close closes fd. It must not be repeated after EINTR: fd is closed by
	// then.
	Close(fd int) error
	// SetInt and GetInt are setsockopt(2) and getsockopt(2).
	SetInt(fd, level, option, value int) error
	GetInt(fd, level, option int) (int, error)
	SetLinger(fd int, linger *unix.Linger) error
	// LocalAddr and PeerAddr are getsockname(2) and getpeername(2).
	LocalAddr(fd int) (unix.Sockaddr, error)
	PeerAddr(fd int) (unix.Sockaddr, error)
	// Pipe makes a pipe with nonblocking ends; Close closes each. Splice moves
	// up to n bytes from one descriptor to another without copying them, as
	// splice(2) does. One of the two must be a pipe. It returns 0 at the end of
	// the input. Pipe fails with ENOSYS where there is no Splice, and Splice
	// fails with EINVAL if the kernel can't do this with these two: copy then.
	Pipe() (r, w int, err error)
	Splice(to, from, n int) (moved int, errno syscall.Errno)
	// Resolver returns the resolver of this network, or nil for the system's.
	Resolver() Resolver
	// Unlink removes the name of a Unix-domain socket; see unlink(2).
	Unlink(path string) error
}

// A Resolver resolves the names of a network other than the system's, such as a
// simulated one.
type Resolver interface {
	// LookupHost returns a host's addresses, best first, without waiting. It is
	// not called with an IP address. The error for an unknown name should be a
	// *net.DNSError with IsNotFound.
	LookupHost(host string) ([]netip.Addr, error)
}

// System is the kernel's own [Calls]. The zero value is ready to use, and its
// methods may be called from any goroutine.
type System struct{}

var _ Calls = System{}

func (System) Listen(fd, backlog int) error            { return unix.Listen(fd, backlog) }
func (System) Shutdown(fd, how int) error              { return unix.Shutdown(fd, how) }
func (System) LocalAddr(fd int) (unix.Sockaddr, error) { return unix.Getsockname(fd) }
func (System) PeerAddr(fd int) (unix.Sockaddr, error)  { return unix.Getpeername(fd) }
func (System) Unlink(path string) error                { return unix.Unlink(path) }
func (System) Resolver() Resolver                      { return nil }

// Bind and Connect use package syscall for a Unix socket: x/sys refuses a name
// that fills its space to the last byte, as an abstract name on Linux may.

func (System) Bind(fd int, addr unix.Sockaddr) error {
	if u, ok := addr.(*unix.SockaddrUnix); ok {
		return syscall.Bind(fd, &syscall.SockaddrUnix{Name: u.Name})
	}
	return unix.Bind(fd, addr)
}

func (System) Connect(fd int, addr unix.Sockaddr) error {
	if u, ok := addr.(*unix.SockaddrUnix); ok {
		return syscall.Connect(fd, &syscall.SockaddrUnix{Name: u.Name})
	}
	return unix.Connect(fd, addr)
}

// F_DUPFD_CLOEXEC is in POSIX.1-2008, and all these systems have it.
func (System) Dup(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) }

func (System) Close(fd int) error {
	if err := unix.Close(fd); err != nil && err != unix.EINTR {
		return err
	}
	return nil
}

func (System) SetInt(fd, level, option, value int) error {
	return unix.SetsockoptInt(fd, level, option, value)
}

func (System) GetInt(fd, level, option int) (int, error) {
	return unix.GetsockoptInt(fd, level, option)
}

func (System) SetLinger(fd int, linger *unix.Linger) error {
	return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, linger)
}
