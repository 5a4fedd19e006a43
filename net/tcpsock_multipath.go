package net

import "syscall"

// Multipath TCP is not dialled nor listened for: what the fast path knows of TCP's
// sockets, as that a read which does not fill its buffer has drained one, nobody
// has promised for these. As in std, where the system has none, a program that
// wants it gets TCP.

// MultipathTCP reports whether [Dialer.SetMultipathTCP] has asked for Multipath TCP.
func (d *Dialer) MultipathTCP() bool { return d.mptcp }

// SetMultipathTCP asks for Multipath TCP. The Dial methods fall back to TCP, as
// std's do where Multipath TCP is not available.
func (d *Dialer) SetMultipathTCP(use bool) { d.mptcp = use }

// MultipathTCP reports whether [ListenConfig.SetMultipathTCP] has asked for
// Multipath TCP.
func (lc *ListenConfig) MultipathTCP() bool { return lc.mptcp }

// SetMultipathTCP asks for Multipath TCP. The Listen method falls back to TCP, as
// std's does where Multipath TCP is not available. Unlike std's it does not ask by
// default.
func (lc *ListenConfig) SetMultipathTCP(use bool) { lc.mptcp = use }

// MultipathTCP reports whether the connection uses Multipath TCP, as one that
// [FileConn] has made may.
func (c *TCPConn) MultipathTCP() (bool, error) {
	if !c.ok() {
		return false, syscall.EINVAL
	}
	multipath := false
	c.control("get", func(fd int) error { // a closed one uses nothing, without an error
		multipath = isMultipath(c.sys, fd)
		return nil
	})
	return multipath, nil
}
