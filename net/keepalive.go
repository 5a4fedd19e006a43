//go:build linux || freebsd || netbsd || dragonfly

package net

import "golang.org/x/sys/unix"

func setKeepAliveIdle(setInt func(fd, level, option, value int) error, fd, seconds int) error {
	return setInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds)
}

func setKeepAliveInterval(setInt func(fd, level, option, value int) error, fd, seconds int) error {
	return setInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds)
}
