package net

import (
	"sync"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// This file is what a socket does whose File was called. Whether a call blocks is a
// property of the file description, which is the file's too, and its owner may make
// it block at any time; a loop must not. So each call says by itself that it does
// not wait.

var messages = sync.Pool{New: func() any { return new([1]sockets.Message) }}

func (c *conn) readShared(p []byte) (int, syscall.Errno) {
	return c.moveShared(p, c.sys.Receive)
}

func (c *conn) writeShared(p []byte) (int, syscall.Errno) {
	return c.moveShared(p, c.sys.Send)
}

func (c *conn) moveShared(p []byte, move func(fd int, ms []sockets.Message, flags int) (int, syscall.Errno)) (int, syscall.Errno) {
	m := messages.Get().(*[1]sockets.Message)
	m[0].Data = p
	_, errno := move(c.fd.Sysfd(), m[:], unix.MSG_DONTWAIT)
	n := m[0].N
	m[0] = sockets.Message{}
	messages.Put(m)
	if errno != 0 {
		return 0, errno
	}
	return n, 0
}

// acceptFD accepts a connection, or fails with EAGAIN.
func (l *listener) acceptFD() (fd int, peer unix.Sockaddr, err error) {
	if l.fd.Shared() {
		return l.acceptShared()
	}
	return l.sys.Accept(l.fd.Sysfd())
}

// acceptShared is for want of an accept(2) that can be told not to wait. To ask
// before whether there is a connection is not enough, for another process that
// listens too may take it; to make the socket nonblocking is, but for no longer
// than need be.
func (l *listener) acceptShared() (fd int, peer unix.Sockaddr, err error) {
	at := l.fd.Sysfd()
	flags, err := unix.FcntlInt(uintptr(at), unix.F_GETFL, 0)
	switch {
	case err != nil:
		return -1, nil, err
	case flags&unix.O_NONBLOCK != 0:
		return l.sys.Accept(at)
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(at), Events: unix.POLLIN}}, 0)
	switch {
	case err != nil:
		return -1, nil, err
	case n == 0:
		return -1, nil, unix.EAGAIN
	}
	if err := unix.SetNonblock(at, true); err != nil {
		return -1, nil, err
	}
	defer unix.SetNonblock(at, false)
	return l.sys.Accept(at)
}
