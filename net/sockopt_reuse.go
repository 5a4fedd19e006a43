package net

import (
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// setReuse allows binding an address that connections of an earlier process
// still use, if the socket is to listen, and one that other sockets have if
// ReusePort is set.
func (lc *ListenConfig) setReuse(sys sockets.Calls, fd int, listens bool) error {
	if listens {
		if err := sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	if lc.ReusePort {
		return sys.SetInt(fd, unix.SOL_SOCKET, reusePort, 1)
	}
	return nil
}
