package net

import "syscall"

// Multipath TCP is not supported: the fast path relies on properties of TCP
// sockets (for instance, that a short read has drained the socket) which are
// not documented for Multipath TCP sockets. A program that asks for it gets
// TCP, as in std on a system without it.

// MultipathTCP reports whether Multipath TCP was requested by
// [Dialer.SetMultipathTCP].
func (d *Dialer) MultipathTCP() bool { return d.mptcp }

// SetMultipathTCP requests Multipath TCP. The Dial methods fall back to TCP, as
// std's do where Multipath TCP is not available.
func (d *Dialer) SetMultipathTCP(use bool) { d.mptcp = use }

// MultipathTCP reports whether Multipath TCP was requested by
// [ListenConfig.SetMultipathTCP].
func (lc *ListenConfig) MultipathTCP() bool { return lc.mptcp }

// SetMultipathTCP requests Multipath TCP. The Listen method falls back to TCP,
// as std's does where Multipath TCP is not available. Unlike std's it is not
// requested by default.
func (lc *ListenConfig) SetMultipathTCP(use bool) { lc.mptcp = use }

// MultipathTCP reports whether the connection uses Multipath TCP, which one
// made by [FileConn] may.
func (c *TCPConn) MultipathTCP() (bool, error) {
	if !c.ok() {
		return false, syscall.EINVAL
	}
	multipath := false
	c.control("get", func(fd int) error { // false without an error for a closed one
		multipath = isMultipath(c.sys, fd)
		return nil
	})
	return multipath, nil
}
