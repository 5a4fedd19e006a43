package net

import stdnet "net"

// What the standard library has, and a program that imports one net needs.
type (
	Addr      = stdnet.Addr
	Conn      = stdnet.Conn
	Listener  = stdnet.Listener
	Error     = stdnet.Error
	OpError   = stdnet.OpError
	AddrError = stdnet.AddrError
	DNSError  = stdnet.DNSError

	UnknownNetworkError = stdnet.UnknownNetworkError

	TCPAddr  = stdnet.TCPAddr
	UnixAddr = stdnet.UnixAddr
	IP       = stdnet.IP
)

// ErrClosed is in the error of every operation on a connection or listener
// that is closed, or gets closed meanwhile, and of all once the loop has ended.
var ErrClosed = stdnet.ErrClosed

// JoinHostPort combines host and port into an address, as the standard
// library's does.
func JoinHostPort(host, port string) string { return stdnet.JoinHostPort(host, port) }

// SplitHostPort splits an address into host and port, as the standard
// library's does.
func SplitHostPort(hostport string) (host, port string, err error) {
	return stdnet.SplitHostPort(hostport)
}
