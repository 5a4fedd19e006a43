package net

import (
	"io"
	"os"
	"reflect"
	"syscall"
)

// A file is an *os.File, or what io.Copy hands on in its place: a type of package
// os that hides File's WriteTo.
type file interface {
	io.Seeker
	syscall.Conn
	Stat() (os.FileInfo, error)
}

// fileIn returns the regular file that r is, or nil. Types of other packages
// that have a File's methods may well read something else than its bytes.
func fileIn(r io.Reader) file {
	f, ok := r.(file)
	if !ok {
		return nil
	}
	if f, ok := r.(*os.File); ok && f == nil {
		return nil
	} else if !ok && reflect.TypeOf(r).PkgPath() != "os" {
		return nil
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return f
}

// A piece of a file is sent at a time. It counts as several operations, since it
// takes longer than one: after 512 KiB other tasks run, if they are ready.
const (
	filePiece      = 128 << 10
	filePieceCosts = 32
)

// sendFile sends up to limit bytes of a file, and leaves its position behind
// them. It is done at the end of the file, or when it has sent so much; else the
// kernel can't send the file, or what is left of it.
func (c *conn) sendFile(f file, limit int64) (sent int64, done bool, err error) {
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false, nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	if err := c.fd.LockWrite(); err != nil {
		return 0, true, c.failed("write", err)
	}
	defer c.fd.UnlockWrite()
	defer func() {
		if sent > 0 {
			f.Seek(start+sent, io.SeekStart)
		}
	}()
	for sent < limit {
		if c.fd.Shared() { // it might block
			return sent, false, nil
		}
		for range filePieceCosts {
			if err := c.fd.WaitWrite(); err != nil && sent == 0 {
				return 0, true, c.failed("write", err) // std's write fails, by which it goes on
			} else if err != nil {
				return sent, true, err
			}
		}
		n, errno, err := c.sendPiece(raw, start+sent, int(min(filePiece, limit-sent)))
		sent += int64(n)
		switch {
		case err != nil:
			return sent, true, err
		case errno == 0 && n == 0:
			return sent, sent > 0, nil // nothing at all may be a file of /proc, which can only be read
		case errno == 0 || errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			c.fd.WriteBlocked()
		case errno == syscall.EINVAL || errno == syscall.ENOSYS || errno == syscall.EOPNOTSUPP:
			return sent, false, nil
		default:
			return sent, true, os.NewSyscallError("sendfile", errno)
		}
	}
	return sent, true, nil
}

// sendPiece sends a piece of a file that it keeps from being closed meanwhile.
func (c *conn) sendPiece(raw syscall.RawConn, offset int64, n int) (sent int, errno syscall.Errno, err error) {
	err = raw.Control(func(fd uintptr) {
		sent, errno = c.sys.SendFile(c.fd.Sysfd(), int(fd), offset, n)
	})
	if sent > 0 && c.limits != nil {
		c.limits.spoke()
	}
	return sent, errno, err
}
