//go:build (linux && !kqueue_model) || freebsd || dragonfly

package sockets

import "golang.org/x/sys/unix"

const socketFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

func (System) Socket(family, typ, proto int) (int, error) {
	return unix.Socket(family, typ|socketFlags, proto)
}

func (System) Accept(fd int) (int, unix.Sockaddr, error) {
	return unix.Accept4(fd, socketFlags)
}
