package net

import (
	"bytes"
	"syscall"
)

// What the faulty kernel does to calls that move much at a time.

// WriteBuffers takes less than it is given.
func (f *faulty) WriteBuffers(fd int, bufs [][]byte) (int, syscall.Errno) {
	switch f.choose(5) {
	case 1:
		f.fault("writev EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("writev EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		f.fault("half a writev")
		all := bytes.Join(bufs, nil)
		return f.System.Write(fd, all[:(len(all)+1)/2])
	}
	return f.System.WriteBuffers(fd, bufs)
}

// SendFile sends less than it is asked to, or can't go on.
func (f *faulty) SendFile(fd, file int, offset int64, n int) (int, syscall.Errno) {
	switch f.choose(6) {
	case 1:
		f.fault("sendfile EINTR")
		return 0, syscall.EINTR
	case 2:
		f.fault("sendfile EAGAIN")
		f.nudge.again(fd)
		return 0, syscall.EAGAIN
	case 3:
		f.fault("half a sendfile")
		return f.System.SendFile(fd, file, offset, (n+1)/2)
	case 4:
		if f.choose(8) == 1 {
			f.fault("sendfile EINVAL")
			return 0, syscall.EINVAL
		}
	}
	return f.System.SendFile(fd, file, offset, n)
}
