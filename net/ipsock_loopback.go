//go:build !openbsd

package net

import "golang.org/x/sys/unix"

// orLoopback leaves a as it is: the kernel takes an address without a host for
// this machine's.
func orLoopback(a unix.Sockaddr) unix.Sockaddr { return a }
