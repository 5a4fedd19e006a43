package net

import (
	"io"
	"syscall"
)

// Borrow reads as Read does, into memory that belongs to the loop, so that a
// connection which waits for data holds none. What it returns is valid until
// the task suspends next, or somebody calls Borrow again: pass it on at once, or
// copy what you keep. A Write to an eddy connection may be given borrowed
// bytes: what it can't write at once it copies. Up to 64 KiB are read.
//
// A Write of bytes that another task has borrowed over panics with core.ErrScratch, so no
// peer gets what another one sent. With reactor's Options.Debug, or EDDYDEBUG=1 in the
// environment, which tests should be run with, any use of borrowed bytes for too long
// does.
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
