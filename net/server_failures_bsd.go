//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package net

import "syscall"

var peersAlso []syscall.Errno
