package net

import "syscall"

// A TCPConn is a TCP connection. It implements the standard library's net.Conn,
// and its methods are those of the standard library's TCPConn. They may be
// called from any goroutine.
type TCPConn struct{ stream }

func newTCPConn() *TCPConn {
	c := &TCPConn{}
	c.origin = &origin{tcp: true}
	return c
}

// A TCPListener listens for TCP connections. Its methods may be called from any
// goroutine.
type TCPListener struct {
	listener
	keepAlive KeepAliveConfig
	heirs     bool // accepted connections inherit the options set on l
}

// Accept waits for the next connection.
func (l *TCPListener) Accept() (Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptTCP is Accept with the connection's own type.
func (l *TCPListener) AcceptTCP() (*TCPConn, error) {
	if l == nil || !l.ok() {
		return nil, syscall.EINVAL
	}
	c := &TCPConn{}
	if err := l.acceptInto(&c.conn); err != nil {
		return nil, err
	}
	return c, nil
}

func (l *TCPListener) acceptInto(c *conn) error {
	if err := l.accept(c); err != nil {
		return l.failed("accept", err)
	}
	if !l.heirs {
		setTCPOptions(c.sys, c.fd.Sysfd(), l.keepAlive)
	}
	return nil
}
