package net

import (
	"errors"
	"io"
	"slices"
	"syscall"
)

// Borrow reads as Read does, into memory that belongs to the loop, so that a
// connection which waits for data holds none. What it returns is valid until
// the task suspends next, or somebody calls Borrow again: pass it on at once, or
// copy what you keep. A Write to an eddy connection may be given borrowed
// bytes: what it can't write at once it copies. Up to 64 KiB are read.
//
// With reactor's Options.Debug, or EDDYDEBUG=1 in the environment, a task that
// uses borrowed bytes for too long panics with reactor.ErrScratch.
//
// Borrow must be called by a task of the connection's loop.
func (c *conn) Borrow() ([]byte, error) {
	if !c.ok() {
		return nil, syscall.EINVAL
	}
	if !c.fd.OnLoop() {
		return nil, c.failed("read", errBorrow)
	}
	for {
		if err := c.fd.WaitRead(); err != nil {
			return nil, c.failed("read", err)
		}
		p := c.fd.Scratch() // not before: it is lent only until the next wait
		switch n, err := c.tryRead(p); err {
		case errAgain:
		case nil:
			return p[:n:n], nil
		case io.EOF:
			return nil, err
		default:
			return nil, c.failed("read", err)
		}
	}
}

var errBorrow = errors.New("Borrow must be called by a task of the connection's loop: use Read elsewhere")

// writeBorrowed writes memory of the loop's. What can't be written without
// suspending is copied first.
func (c *conn) writeBorrowed(p []byte) (n int, err error) {
	if c.fd.CanWrite() {
		if n, err = c.tryWrite(p); err != nil && err != errAgain {
			return n, err
		}
	}
	if n == len(p) && n > 0 {
		return n, nil
	}
	m, err := c.write(slices.Clone(p[n:]))
	return n + m, err
}
