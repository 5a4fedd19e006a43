package net

import "golang.org/x/sys/unix"

// orLoopback returns a with this machine's address if it has no host.
func orLoopback(a unix.Sockaddr) unix.Sockaddr {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		if a.Addr == [4]byte{} {
			a.Addr = [4]byte{127, 0, 0, 1}
		}
	case *unix.SockaddrInet6:
		if a.Addr == [16]byte{} {
			a.Addr[15] = 1
		}
	}
	return a
}
