package net

import (
	"io"
	"syscall"
)

// Borrow reads like Read, but into memory that belongs to the loop, so that a
// connection that waits for data holds no buffer. The result is valid until the
// task suspends next, or any task calls Borrow: pass it on at once, or copy
// what you keep. Borrowed bytes may be passed to Write of an eddy connection,
// which copies what it can't write at once. Up to 64 KiB are read.
//
// A Write of bytes that another Borrow has overwritten panics with
// core.ErrScratch, so that no peer gets another one's data. With reactor's
// Options.Debug, or EDDYDEBUG=1 in the environment, any use of borrowed bytes
// after that panics; run tests with it.
//
// Borrow must be called by a task of the connection's loop.
func (c *conn) Borrow() ([]byte, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	p, err := c.fd.Borrow()
	if err != nil && err != io.EOF {
		err = c.failed("read", err)
	}
	return p, err
}
