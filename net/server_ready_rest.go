package net

import (
	"sync"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// rest looks whether there is more to read after a run, where a short read has not
// told. Otherwise the next run would find out, and wait for the peer as a task, with
// a stack: what a ReadyConn is there to avoid.
func (c *ReadyConn) rest() {
	if c.fd.Sysfd() < 0 || c.tcp && shortReadDrains(c.sys) {
		return
	}
	m := peeks.Get().(*[1]sockets.Message)
	defer peeks.Put(m)
	if _, errno := c.sys.Receive(c.fd.Sysfd(), m[:], unix.MSG_PEEK|unix.MSG_DONTWAIT); errno == syscall.EAGAIN {
		c.fd.ReadBlocked()
	}
}

var peeks = sync.Pool{New: func() any { return &[1]sockets.Message{{Data: make([]byte, 1)}} }}
