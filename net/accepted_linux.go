package net

import "golang.org/x/sys/unix"

// An accepted socket inherits TCP_NODELAY and the keep-alive options from its
// listener on Linux (it is a copy of it, sk_clone_lock), so they are set there
// once.

func setListenerDefaults(setInt func(fd, level, option, value int) error, fd, family int) error {
	if family == unix.AF_UNIX {
		return nil
	}
	return setTCPDefaults(setInt, fd)
}

func (c *TCPConn) setAcceptedDefaults() error { return nil }
