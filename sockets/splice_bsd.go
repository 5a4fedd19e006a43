//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package sockets

import "syscall"

// These systems have no splice.

func (System) Pipe() (r, w int, err error)                 { return -1, -1, syscall.ENOSYS }
func (System) Splice(to, from, n int) (int, syscall.Errno) { return 0, syscall.ENOSYS }
