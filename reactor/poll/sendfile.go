package poll

import (
	"syscall"
)

// A file is sent in pieces. Each counts as several operations, because it takes
// longer than one: after 512 KiB other ready tasks run.
const (
	filePiece      = 128 << 10
	filePieceCosts = 32
)

// A Sending is the result of [FD.SendFile].
type Sending struct {
	Sent   int64
	Done   bool  // the end of the file or the limit was reached, or Err is set
	Err    error // the kernel's, the file's, or that of a wait
	Waited bool  // Err is the error of a wait
}

// SendFile sends up to limit bytes of a file, from start on. If the result is
// not Done, the kernel can't send the file, or the rest of it.
func (f *FD) SendFile(file syscall.RawConn, start, limit int64) Sending {
	switch {
	case f.core.OnLoop():
		return f.sendFile(file, start, limit)
	case f.isReal():
		return f.sendFileApart(file, start, limit)
	}
	s, err := elsewhere(f, func() (Sending, error) { return f.sendFile(file, start, limit), nil })
	if err != nil {
		return Sending{Done: true, Err: err, Waited: true}
	}
	return s
}

func (f *FD) sendFile(file syscall.RawConn, start, limit int64) (s Sending) {
	in := f.core.Inner()
	if err := in.LockWrite(); err != nil {
		return Sending{Done: true, Err: err, Waited: true}
	}
	defer f.core.UnlockWrite()
	for s.Sent < limit {
		k := f.core.Kind()
		if k.Shared() { // it might block
			return s
		}
		for range filePieceCosts {
			if err := in.WaitWrite(); err != nil {
				s.Done, s.Err, s.Waited = true, err, true
				return s
			}
		}
		n, errno, err := sendPiece(k, f.core.Sysfd(), file, start+s.Sent, int(min(filePiece, limit-s.Sent)))
		if n > 0 && f.Activity != nil {
			f.Activity.spoke()
		}
		if errno == syscall.EAGAIN {
			f.core.WriteBlocked()
		}
		if s.add(f, tasks, n, errno, err) {
			return s
		}
	}
	s.Done = true
	return s
}

// add records the result of sending a piece by one side, and reports whether it
// was the last piece.
func (s *Sending) add(f *FD, side int, n int, errno syscall.Errno, err error) (last bool) {
	s.Sent += int64(n)
	switch {
	case err != nil:
		s.Done, s.Err = true, err
	case errno == 0 && n == 0:
		s.Done = s.Sent > 0 // if nothing was sent, it may be a file of /proc, which can only be read
	case errno == 0 || errno == syscall.EINTR || errno == syscall.EAGAIN:
		return false
	case errno == syscall.EINVAL || errno == syscall.ENOSYS || errno == syscall.EOPNOTSUPP:
	default:
		s.Done, s.Err = true, f.failedBy(side, "sendfile", errno)
	}
	return true
}

// sendPiece sends a piece of a file, and keeps the file from being closed
// meanwhile.
func sendPiece(k *Kind, to int, file syscall.RawConn, offset int64, n int) (sent int, errno syscall.Errno, err error) {
	err = file.Control(func(fd uintptr) { sent, errno = k.Sockets.SendFile(to, int(fd), offset, n) })
	return sent, errno, err
}

func (f *FD) sendFileApart(file syscall.RawConn, start, limit int64) (s Sending) {
	g, err := f.lockApart()
	if err != nil {
		return Sending{Done: true, Err: err, Waited: true}
	}
	defer g.unlockAndLeave()
	for s.Sent < limit {
		k := f.core.Kind()
		if k.Shared() {
			return s
		}
		var n int
		var errno syscall.Errno
		var failure error
		err := g.write("sendfile", func(fd int) syscall.Errno {
			n, errno, failure = sendPiece(k, fd, file, start+s.Sent, int(min(maxSplice, limit-s.Sent)))
			if errno == syscall.EAGAIN {
				return errno
			}
			return 0
		})
		if err != nil {
			s.Done, s.Err, s.Waited = true, err, true
			return s
		}
		if s.add(f, goroutines, n, errno, failure) {
			return s
		}
	}
	s.Done = true
	return s
}
