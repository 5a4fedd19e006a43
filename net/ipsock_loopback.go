//go:build !openbsd

package net

import "golang.org/x/sys/unix"

// orLoopback returns a: the kernel treats an address without a host as this
// machine's.
func orLoopback(a unix.Sockaddr) unix.Sockaddr { return a }
