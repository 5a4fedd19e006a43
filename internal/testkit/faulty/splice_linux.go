//go:build linux

package faulty

import (
	"fmt"
	"syscall"
)

// Splice moves less than it is asked to, or fails.
func (s *Sockets) Splice(to, from, n int) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("splice EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("splice EAGAIN")
		s.Poller.Again(to) // one of them is a pipe, which the Poller does not know
		s.Poller.Again(from)
		return 0, syscall.EAGAIN
	case 3:
		s.fault("half a splice")
		n = (n + 1) / 2
	case 4:
		if s.Counts[pipeOf(from)] == 0 && s.Choose(8) == 1 { // it must not refuse a destination for what the pipe holds already
			s.fault("splice EINVAL")
			return 0, syscall.EINVAL
		}
	}
	return s.System.Splice(to, from, n)
}

// Pipe records the descriptors of pipes.
func (s *Sockets) Pipe() (r, w int, err error) {
	r, w, err = s.System.Pipe()
	s.fault(pipeOf(r))
	return r, w, err
}

func pipeOf(fd int) string { return fmt.Sprint("pipe ", fd) }
