package net

import (
	"errors"
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
		p := c.fd.Scratch() // not before: it is lent until the next wait
		n, err := c.tryRead(p)
		if err == nil {
			return p[:n:n], nil
		}
		if err = c.readError(err); err != nil {
			return nil, err
		}
	}
}

var errBorrow = errors.New("Borrow must be called by a task of the connection's loop: use Read elsewhere")

// writeBorrowed writes memory of the loop's. What can't be written without
// suspending is copied first.
func (c *conn) writeBorrowed(p []byte) (n int, err error) {
	if !c.fd.CanWrite() {
		return c.writeCopy(p)
	}
	n, errno := c.writeFD(p)
	if errno != 0 || n < len(p) || c.limits != nil {
		return c.writeRest(p, n, errno)
	}
	return n, nil
}

// writeRest goes on with a write that came to n and errno.
func (c *conn) writeRest(p []byte, n int, errno syscall.Errno) (int, error) {
	n, err := c.wrote(n, errno)
	if err == nil && n == len(p) || err != nil && err != errAgain {
		return n, err
	}
	m, err := c.writeCopy(p[n:])
	return n + m, err
}

// writeCopy writes a copy of p, of which there is no more than the loop's memory holds.
func (c *conn) writeCopy(p []byte) (int, error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	return c.write(buf[:copy(buf[:], p)])
}
