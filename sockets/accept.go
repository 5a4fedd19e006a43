//go:build darwin || netbsd || openbsd || kqueue_model

package sockets

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Where x/sys has no accept4, a descriptor is made and then marked, with forks
// locked out meanwhile.

func (System) Socket(family, typ, proto int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(family, typ, proto)
	return mark(fd, err)
}

func (System) Accept(fd int) (int, unix.Sockaddr, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	conn, peer, err := unix.Accept(fd)
	if err != nil {
		return -1, nil, err
	}
	if conn, err = mark(conn, nil); err != nil {
		err = unix.ECONNABORTED // macOS refuses to mark a socket that its peer has reset
	}
	return conn, peer, err
}

func mark(fd int, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
