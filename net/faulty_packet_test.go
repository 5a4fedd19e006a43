package net

import (
	"syscall"

	"github.com/eddyio/eddy/sockets"
)

// Receive and Send of the faulty kernel: EINTR, EAGAIN where there are messages
// or room, fewer messages than there are or than were given, and, on request, no
// buffers for sending, which is not hidden from anybody.

func (f *faulty) Receive(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("receive EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("receive EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		if len(ms) > 1 {
			f.fault("receive of fewer")
			f.nudge.again(fd)
			return f.System.Receive(fd, ms[:(len(ms)+1)/2], flags)
		}
	}
	return f.System.Receive(fd, ms, flags)
}

func (f *faulty) Send(fd int, ms []sockets.Message, flags int) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("send EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("send EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		if len(ms) > 1 {
			f.fault("send of fewer")
			return f.System.Send(fd, ms[:(len(ms)+1)/2], flags)
		}
	}
	return f.System.Send(fd, ms, flags)
}
