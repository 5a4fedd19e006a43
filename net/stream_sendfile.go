package net

import (
	"io"
	"os"
	"reflect"
	"syscall"
)

// A file is an *os.File, or the type of package os that io.Copy passes in its
// place, which hides File's WriteTo.
type file interface {
	io.Seeker
	syscall.Conn
	Stat() (os.FileInfo, error)
}

// fileIn returns the regular file that r is, or nil. It does not accept types
// of other packages with a File's methods: they may read something other than
// its bytes.
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

// sendFile sends up to limit bytes of a file, and sets its position after them.
// done is set at the end of the file or of the limit; if it is not, the kernel
// can't send the file, or the rest of it.
func (c *conn) sendFile(f file, limit int64) (sent int64, done bool, err error) {
	start, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false, nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	s := c.fd.SendFile(raw, start, limit)
	if s.Sent > 0 {
		f.Seek(start+s.Sent, io.SeekStart)
	}
	if s.Waited && s.Sent == 0 { // in std the write that follows fails
		s.Err = c.failed("write", s.Err)
	}
	return s.Sent, s.Done, s.Err
}
