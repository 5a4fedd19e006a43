package eddy

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets is the kernel's socket calls as an event loop needs them: every
// descriptor is nonblocking and closed on exec, and no call waits. [System] is
// the real one; others can put faults or a simulated network behind it.
//
// Errors are bare errnos. EINTR may be returned: the caller tries again.
type Sockets interface {
	// Socket makes a socket; see socket(2).
	Socket(family, typ, proto int) (fd int, err error)
	// Bind, Listen and Connect are as in bind(2), listen(2), connect(2). A
	// Connect that can't be completed at once fails with EINPROGRESS.
	Bind(fd int, addr unix.Sockaddr) error
	Listen(fd, backlog int) error
	Connect(fd int, addr unix.Sockaddr) error
	// Accept takes a connection from a listener's queue, or fails with EAGAIN.
	Accept(fd int) (conn int, peer unix.Sockaddr, err error)
	// Read and Write move what they can, at least a byte unless p is empty. 0
	// from Read is the end of the input. They are the hot path: the error is
	// an Errno, 0 for none.
	Read(fd int, p []byte) (n int, errno syscall.Errno)
	Write(fd int, p []byte) (n int, errno syscall.Errno)
	// Shutdown ends one or both directions; see shutdown(2).
	Shutdown(fd, how int) error
	// Close closes fd. It is not repeated after EINTR: fd is gone by then.
	Close(fd int) error
	// SetInt and GetInt are setsockopt(2) and getsockopt(2).
	SetInt(fd, level, option, value int) error
	GetInt(fd, level, option int) (int, error)
	SetLinger(fd int, linger *unix.Linger) error
	// LocalAddr and PeerAddr are getsockname(2) and getpeername(2).
	LocalAddr(fd int) (unix.Sockaddr, error)
	PeerAddr(fd int) (unix.Sockaddr, error)
}

// System is the kernel's own [Sockets]. The zero value is ready to use, and its
// methods may be called from any goroutine.
type System struct{}

var _ Sockets = System{}

func (System) Bind(fd int, addr unix.Sockaddr) error    { return unix.Bind(fd, addr) }
func (System) Listen(fd, backlog int) error             { return unix.Listen(fd, backlog) }
func (System) Connect(fd int, addr unix.Sockaddr) error { return unix.Connect(fd, addr) }
func (System) Shutdown(fd, how int) error               { return unix.Shutdown(fd, how) }
func (System) LocalAddr(fd int) (unix.Sockaddr, error)  { return unix.Getsockname(fd) }
func (System) PeerAddr(fd int) (unix.Sockaddr, error)   { return unix.Getpeername(fd) }

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
