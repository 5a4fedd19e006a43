//go:build linux || freebsd || netbsd || dragonfly

package net

import "golang.org/x/sys/unix"

const (
	keepAliveIdle     = unix.TCP_KEEPIDLE
	keepAliveInterval = unix.TCP_KEEPINTVL
	keepAliveCount    = unix.TCP_KEEPCNT
)
