package net

import (
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// setReuse lets an address be bound to that connections of an earlier process
// still have, if the socket is to listen, and one that others have if the user
// wants that.
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
