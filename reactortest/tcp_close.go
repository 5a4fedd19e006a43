package reactortest

import (
	"golang.org/x/sys/unix"
)

// shutdownWrite sends a FIN once everything that was written has been sent.
func (s *socket) shutdownWrite() {
	if !s.out.writeShut {
		s.activeClose = s.in.finArrived == 0
		s.out.writeShut, s.out.finPending = true, true
		s.out.output()
	}
}

// closeStream closes a connected stream. It resets the connection if there is unread
// data, or with a linger time of 0; see RFC 2525, 2.17.
func (s *socket) closeStream() {
	if s.in.len() > 0 || s.linger0 {
		s.abort()
		return
	}
	s.shutdownWrite()
	if s.family == unix.AF_UNIX {
		s.peer.notify()
	}
}
