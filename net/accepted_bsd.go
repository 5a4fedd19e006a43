//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package net

// Not every BSD hands TCP_NODELAY and the keep-alive options on from a listener
// to what it accepts, so they are set on each connection.

func setListenerDefaults(func(fd, level, option, value int) error, int, int) error { return nil }

func (c *TCPConn) setAcceptedDefaults() error { return c.setDefaults() }
