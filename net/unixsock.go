package net

import (
	"io"
	"net/netip"
	"os"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// A UnixConn is a Unix-domain socket: a stream ("unix"), one that keeps the
// bounds of messages ("unixpacket"), or datagrams ("unixgram"). It implements
// the standard library's net.Conn and net.PacketConn, and its methods are those
// of the standard library's UnixConn. They may be called from any goroutine.
//
// The end of a stream is io.EOF, unwrapped, as in the standard library since Go
// 1.27; before, the methods that return an address wrapped it in an [OpError].
// On a "unixpacket" socket an empty message reads as io.EOF too, because the
// kernel does not distinguish them. Datagrams have no end.
type UnixConn struct{ packets }

func newUnixConn(network string) *UnixConn {
	c := &UnixConn{}
	c.origin = &origin{network: network, datagram: network == "unixgram"}
	return c
}

// CloseRead shuts down the reading side: reads return io.EOF. On a "unixgram"
// socket they wait instead, and messages sent to it are refused.
func (c *UnixConn) CloseRead() error { return c.shut(unix.SHUT_RD) }

// CloseWrite shuts down the writing side: the peer reads the end of the data,
// and may go on sending.
func (c *UnixConn) CloseWrite() error { return c.shut(unix.SHUT_WR) }

// ReadFrom reads a message, or what there is of a stream, into b, and returns
// its length and the sender's address: nil if the sender has no name.
func (c *UnixConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.ReadFromUnix(b)
	if addr == nil {
		return n, nil, err
	}
	return n, addr, err
}

// ReadFromUnix is [UnixConn.ReadFrom] with the address's own type.
func (c *UnixConn) ReadFromUnix(b []byte) (int, *UnixAddr, error) {
	m, err := c.readMsg(b, nil, false, "recvfrom")
	return m.N, c.sender(m), err
}

// ReadMsgUnix reads a message into b and the control messages that come with it
// into oob. It returns the length of both, the flags of recvmsg(2), and the
// sender's address. The caller must close the file descriptors that it receives
// (see unix.ParseUnixRights), which are close-on-exec; the kernel closes those
// for which oob has no room.
//
// If b is empty and oob is not, it reads one byte of a stream, which is lost,
// because control messages come with data.
func (c *UnixConn) ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *UnixAddr, err error) {
	if len(b) == 0 && len(oob) > 0 && c.ok() && !c.datagram {
		b = make([]byte, 1)
	}
	m, err := c.readMsg(b, oob, true, "recvmsg")
	return m.N, m.NControl, m.Flags, c.sender(m), err
}

func (c *UnixConn) readMsg(b, oob []byte, rights bool, call string) (sockets.Message, error) {
	if !c.ok() {
		return sockets.Message{}, syscall.EINVAL
	}
	m, err := c.receive(b, oob, rights, call)
	if err == io.EOF {
		return m, err
	}
	if err != nil {
		return sockets.Message{}, c.failed("read", err)
	}
	return m, nil
}

func (c *UnixConn) sender(m sockets.Message) *UnixAddr {
	if m.Path == "" {
		return nil
	}
	return &UnixAddr{Name: m.Path, Net: c.network}
}

// WriteTo sends b as a datagram to addr, a [*UnixAddr].
func (c *UnixConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*UnixAddr)
	if !ok {
		return 0, c.refused(addr, syscall.EINVAL)
	}
	return c.WriteToUnix(b, a)
}

// WriteToUnix is [UnixConn.WriteTo] with the address's own type.
func (c *UnixConn) WriteToUnix(b []byte, addr *UnixAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if err := c.mayWriteTo(addr); err != nil {
		return 0, c.refused(given(addr), err)
	}
	n, _, err := c.writeMsg(b, nil, addr, "sendto")
	return n, err
}

func (c *UnixConn) mayWriteTo(addr *UnixAddr) error {
	switch {
	case c.peer != nil:
		return ErrWriteToConnected
	case addr == nil:
		return errMissingAddress
	}
	return nil
}

// WriteMsgUnix sends b, with the control messages in oob, to addr, or to the
// socket's peer if it is connected; then addr must be nil. It returns the
// lengths of what was sent; on a stream that may be part of b. File descriptors
// are sent as control messages (see unix.UnixRights); the caller must still
// close them.
//
// If b is empty and oob is not, it sends one byte on a stream, because control
// messages need data. Like the standard library's it fails on a connected
// "unixgram" socket.
func (c *UnixConn) WriteMsgUnix(b, oob []byte, addr *UnixAddr) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	if c.datagram && c.peer != nil {
		return 0, 0, c.refused(given(addr), ErrWriteToConnected)
	}
	if len(b) > 0 || len(oob) == 0 || c.datagram {
		return c.writeMsg(b, oob, addr, "sendmsg")
	}
	_, oobn, err = c.writeMsg(make([]byte, 1), oob, addr, "sendmsg")
	return 0, oobn, err
}

func (c *UnixConn) writeMsg(b, oob []byte, addr *UnixAddr, call string) (n, oobn int, err error) {
	path := ""
	if addr != nil {
		if addr.Net != c.network {
			return 0, 0, c.refused(addr, syscall.EAFNOSUPPORT)
		}
		if path = addr.Name; path == "" {
			return 0, 0, c.refused(addr, os.NewSyscallError(call, syscall.EINVAL))
		}
	}
	n, oobn, err = c.send(b, oob, netip.AddrPort{}, path, call)
	if err != nil {
		return n, oobn, c.refused(given(addr), err)
	}
	return n, oobn, nil
}

// unixAddress converts a kernel's address to std's form.
func unixAddress(network string, sa unix.Sockaddr) Addr {
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &UnixAddr{Name: sa.Name, Net: network}
	}
	return &UnixAddr{Net: network} // some kernels return no address for an unbound socket
}
