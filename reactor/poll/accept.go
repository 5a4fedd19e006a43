package poll

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Accept waits for a connection and returns its descriptor. It skips
// connections that were gone before they were accepted.
func (f *FD) Accept() (fd int, peer unix.Sockaddr, err error) {
	if !f.core.OnLoop() {
		return f.acceptApart()
	}
	for {
		if err := f.core.Inner().WaitRead(); err != nil {
			return -1, nil, err
		}
		fd, peer, err := acceptFD(f.core.Kind(), f.core.Sysfd())
		switch err {
		case nil:
			return fd, peer, nil
		case unix.EAGAIN:
			f.core.ReadBlocked()
		case unix.EINTR, unix.ECONNABORTED:
		default:
			if f.closedApart() {
				return -1, nil, os.ErrClosed
			}
			return -1, nil, os.NewSyscallError("accept", err)
		}
	}
}

func (f *FD) acceptApart() (fd int, peer unix.Sockaddr, err error) {
	if !f.isReal() {
		return f.acceptElsewhere()
	}
	g, err := f.enter()
	if err != nil {
		return -1, nil, err
	}
	defer g.leave()
	var failure error
	err = g.read("accept", func(at int) syscall.Errno {
		for {
			fd, peer, failure = acceptFD(f.core.Kind(), at)
			if failure != unix.ECONNABORTED {
				break
			}
		}
		return errnoOf(failure)
	})
	if err != nil {
		return -1, nil, err
	}
	return fd, peer, nil
}

func (f *FD) acceptElsewhere() (fd int, peer unix.Sockaddr, err error) {
	err = elsewhere0(f, func() (err error) {
		fd, peer, err = f.Accept()
		return err
	})
	return fd, peer, err
}

func errnoOf(err error) syscall.Errno {
	if errno, ok := err.(syscall.Errno); ok || err == nil {
		return errno
	}
	return syscall.EIO
}

// acceptFD accepts a connection, or fails with EAGAIN.
func acceptFD(k *Kind, at int) (fd int, peer unix.Sockaddr, err error) {
	if k.Shared() {
		return acceptShared(k, at)
	}
	return k.Sockets.Accept(at)
}

// acceptShared accepts from a socket that may block, because accept(2) has no
// flag not to wait. Checking for a connection first is not enough, because
// another process that listens too may take it. So the socket is made
// nonblocking, for as short as possible.
func acceptShared(k *Kind, at int) (fd int, peer unix.Sockaddr, err error) {
	flags, err := unix.FcntlInt(uintptr(at), unix.F_GETFL, 0)
	switch {
	case err != nil:
		return -1, nil, err
	case flags&unix.O_NONBLOCK != 0:
		return k.Sockets.Accept(at)
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
	return k.Sockets.Accept(at)
}
