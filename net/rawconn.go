package net

import (
	"syscall"

	"github.com/eddyio/eddy/reactor/poll"
)

// A rawConn gives access to a socket's descriptor, and waits for it.
// SyscallConn returns it.
type rawConn struct {
	fd     poll.Raw
	failed func(op string, err error) error
}

// SyscallConn returns access to the socket's descriptor: for options that have
// no method here, and for libraries that make their own system calls, as
// golang.org/x/net/ipv4 does. The methods may be called from any goroutine, and
// call their function on that goroutine; until it returns the descriptor stays
// open. A function that a task or a callback passes must not block; Read's and
// Write's are called again when the socket is ready, until they return true.
// The system does not know descriptors of a simulated network.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	return &rawConn{poll.Raw{FD: &c.fd}, c.failedRaw}, nil
}

func (c *conn) failedRaw(op string, err error) error {
	if op == "raw-control" {
		return opError(op, c.net(), nil, c.local, err)
	}
	return c.failed(op, err)
}

// SyscallConn returns access to the socket's descriptor. Its Read and Write
// methods fail.
func (l *listener) SyscallConn() (syscall.RawConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	return rawListener{&rawConn{poll.Raw{FD: &l.fd}, l.failed}}, nil
}

// A rawListener can't be read or written, as in std.
type rawListener struct{ *rawConn }

func (rawListener) Read(func(fd uintptr) bool) error  { return syscall.EINVAL }
func (rawListener) Write(func(fd uintptr) bool) error { return syscall.EINVAL }

func (r *rawConn) Control(f func(fd uintptr)) error {
	return r.result("raw-control", r.fd.Control(f))
}

func (r *rawConn) Read(f func(fd uintptr) (done bool)) error {
	return r.result("raw-read", r.fd.Read(f))
}

func (r *rawConn) Write(f func(fd uintptr) (done bool)) error {
	return r.result("raw-write", r.fd.Write(f))
}

func (r *rawConn) result(op string, err error) error {
	if err != nil {
		return r.failed(op, err)
	}
	return nil
}
