package net

import (
	"syscall"

	"github.com/eddyio/eddy/reactor"
)

// A rawConn lets others use a socket's descriptor, and wait for it. It is what
// SyscallConn returns.
type rawConn struct {
	fd     *reactor.FD
	failed func(op string, err error) error
}

// SyscallConn returns access to the socket's descriptor: for options that have
// no method here, and for libraries that make their own system calls, as
// golang.org/x/net/ipv4 does. The functions that are given to its methods are
// called on the loop, and must not block; Read's and Write's are called again
// when the socket is ready, until they return true. The methods may be called
// from any goroutine. A descriptor of a simulated network is of no use to the
// system.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	return &rawConn{&c.fd, c.failedRaw}, nil
}

func (c *conn) failedRaw(op string, err error) error {
	if op == "raw-control" {
		return opError(op, c.net(), c.local, err)
	}
	return c.failed(op, err)
}

// SyscallConn returns access to the socket's descriptor. It has no use for Read
// and Write, which fail.
func (l *listener) SyscallConn() (syscall.RawConn, error) {
	if !l.ok() {
		return nil, syscall.EINVAL
	}
	return rawListener{&rawConn{&l.fd, l.failed}}, nil
}

// A rawListener can't be read or written, as in std.
type rawListener struct{ *rawConn }

func (rawListener) Read(func(fd uintptr) bool) error  { return syscall.EINVAL }
func (rawListener) Write(func(fd uintptr) bool) error { return syscall.EINVAL }

func (r *rawConn) Control(f func(fd uintptr)) error {
	return r.do("raw-control", func() error {
		fd := r.fd.Sysfd()
		if fd < 0 {
			return ErrClosed
		}
		f(uintptr(fd))
		return nil
	})
}

// Read tries before it waits, since f may want to know no more than whether
// there is something to read.
func (r *rawConn) Read(f func(fd uintptr) (done bool)) error {
	return r.do("raw-read", func() error {
		if err := r.fd.CheckRead(); err != nil {
			return err
		}
		for !f(uintptr(r.fd.Sysfd())) {
			r.fd.ReadBlocked()
			if err := r.fd.WaitRead(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *rawConn) Write(f func(fd uintptr) (done bool)) error {
	return r.do("raw-write", func() error {
		if err := r.fd.LockWrite(); err != nil {
			return err
		}
		defer r.fd.UnlockWrite()
		if err := r.fd.CheckWrite(); err != nil {
			return err
		}
		for !f(uintptr(r.fd.Sysfd())) {
			r.fd.WriteBlocked()
			if err := r.fd.WaitWrite(); err != nil {
				return err
			}
		}
		return nil
	})
}

// do does f on the loop.
func (r *rawConn) do(op string, f func() error) error {
	if !r.fd.OnLoop() {
		_, err := elsewhere(r.fd, func() (struct{}, error) { return struct{}{}, r.do(op, f) })
		return err
	}
	if err := f(); err != nil {
		return r.failed(op, err)
	}
	return nil
}
