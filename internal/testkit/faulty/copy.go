package faulty

import (
	"bytes"
	"syscall"
)

// WriteBuffers writes less than it is given.
func (s *Sockets) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	switch s.Choose(5) {
	case 1:
		s.fault("writev EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("writev EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		s.fault("half a writev")
		all := bytes.Join(bufs, nil)
		return s.System.Write(fd, all[:(len(all)+1)/2])
	}
	return s.System.WriteBuffers(fd, bufs)
}

// SendFile sends less than it is asked to, or can't go on.
func (s *Sockets) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	switch s.Choose(6) {
	case 1:
		s.fault("sendfile EINTR")
		return 0, syscall.EINTR
	case 2:
		s.fault("sendfile EAGAIN")
		s.Poller.Again(fd)
		return 0, syscall.EAGAIN
	case 3:
		s.fault("half a sendfile")
		return s.System.SendFile(fd, file, offset, (n+1)/2)
	case 4:
		if s.Choose(8) == 1 {
			s.fault("sendfile EINVAL")
			return 0, syscall.EINVAL
		}
	}
	return s.System.SendFile(fd, file, offset, n)
}
