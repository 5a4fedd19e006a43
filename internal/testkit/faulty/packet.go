package faulty

import (
	"syscall"

	"github.com/eddyio/eddy/sockets"
)

// Receive receives fewer messages than there are, or fails.
func (s *Sockets) Receive(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("receive EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("receive EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		if len(ms) > 1 {
			s.fault("receive of fewer")
			s.Poller.Again(fd)
			return s.System.Receive(fd, ms[:(len(ms)+1)/2], flags)
		}
	}
	return s.System.Receive(fd, ms, flags)
}

// Send sends fewer messages than it is given, or fails. It never fails for lack
// of buffers, which callers would see.
func (s *Sockets) Send(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("send EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("send EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		if len(ms) > 1 {
			s.fault("send of fewer")
			return s.System.Send(fd, ms[:(len(ms)+1)/2], flags)
		}
	}
	return s.System.Send(fd, ms, flags)
}
