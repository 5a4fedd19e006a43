package net

import (
	"math"
	stdnet "net"
	"net/netip"
	"os"
	"syscall"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// A UDPConn is a UDP socket, connected to a peer or not. It implements the
// standard library's net.Conn and net.PacketConn, and its methods are those of
// the standard library's UDPConn. They may be called from any goroutine.
//
// A read takes one datagram, and waits for it if necessary; what does not fit
// in the buffer is lost. A write sends one datagram, and waits only while the
// kernel's send buffer is full. For several at a time see [UDPConn.ReadBatch].
//
// On a connected socket the next read or write returns the error of an earlier
// write, such as ECONNREFUSED if nothing listens at the peer's port. For an
// empty datagram Read returns 0 without an error: a UDPConn has no end of file.
type UDPConn struct {
	packets
	family int // AF_INET or AF_INET6
}

// ReadFrom reads a datagram into b, and returns its length and the sender's
// address.
func (c *UDPConn) ReadFrom(b []byte) (int, Addr, error) {
	n, addr, err := c.ReadFromUDP(b)
	if addr == nil {
		return n, nil, err
	}
	return n, addr, err
}

// ReadFromUDP is [UDPConn.ReadFrom] with the address's own type.
func (c *UDPConn) ReadFromUDP(b []byte) (int, *UDPAddr, error) {
	n, addr, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, stdnet.UDPAddrFromAddrPort(addr), nil
}

// ReadFromUDPAddrPort is like [UDPConn.ReadFrom], but does not allocate when a
// task calls it. The address has the socket's family. For an IPv6 socket, such
// as one bound to all addresses, an IPv4 sender's address is mapped.
func (c *UDPConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	m, err := c.readMsg(b, nil, "recvfrom")
	return m.N, m.Addr, err
}

// ReadMsgUDP reads a datagram into b and the control messages that come with it
// into oob. It returns the length of both, the flags of recvmsg(2), and the
// sender's address.
func (c *UDPConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *UDPAddr, err error) {
	m, err := c.readMsg(b, oob, "recvmsg")
	if err == nil {
		addr = stdnet.UDPAddrFromAddrPort(m.Addr)
	}
	return m.N, m.NControl, m.Flags, addr, err
}

// ReadMsgUDPAddrPort is [UDPConn.ReadMsgUDP] with the address as in
// [UDPConn.ReadFromUDPAddrPort]. It does not allocate when a task calls it.
func (c *UDPConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	m, err := c.readMsg(b, oob, "recvmsg")
	return m.N, m.NControl, m.Flags, m.Addr, err
}

func (c *UDPConn) readMsg(b, oob []byte, call string) (sockets.Message, error) {
	if !c.ok() {
		return sockets.Message{}, syscall.EINVAL
	}
	m, err := c.receive(b, oob, false, call)
	if err != nil {
		return sockets.Message{}, c.failed("read", err)
	}
	m.Addr = named(m.Addr)
	return m, nil
}

// WriteTo sends b as a datagram to addr, a [*UDPAddr].
func (c *UDPConn) WriteTo(b []byte, addr Addr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	a, ok := addr.(*UDPAddr)
	if !ok {
		return 0, c.refused(addr, syscall.EINVAL)
	}
	return c.WriteToUDP(b, a)
}

// WriteToUDP is [UDPConn.WriteTo] with the address's own type.
func (c *UDPConn) WriteToUDP(b []byte, addr *UDPAddr) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, _, err := c.writeToUDP(b, nil, addr, true, "sendto")
	return n, err
}

// WriteToUDPAddrPort is like [UDPConn.WriteTo], but does not allocate when a
// task calls it.
func (c *UDPConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, _, err := c.writeMsg(b, nil, addr, true, "sendto")
	if err != nil {
		return 0, c.refused(udpAddrPort{addr}, err)
	}
	return n, nil
}

// WriteMsgUDP sends b as a datagram, with the control messages in oob, to addr,
// or to the socket's peer if it is connected; then addr must be nil. It returns
// the lengths of what was sent.
func (c *UDPConn) WriteMsgUDP(b, oob []byte, addr *UDPAddr) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	return c.writeToUDP(b, oob, addr, false, "sendmsg")
}

// WriteMsgUDPAddrPort is [UDPConn.WriteMsgUDP] with a netip.AddrPort, the zero
// one for the peer of a connected socket. It does not allocate when a task
// calls it.
func (c *UDPConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if !c.ok() {
		return 0, 0, syscall.EINVAL
	}
	n, oobn, err = c.writeMsg(b, oob, addr, false, "sendmsg")
	if err != nil {
		return 0, 0, c.refused(udpAddrPort{addr}, err)
	}
	return n, oobn, nil
}

// A udpAddrPort is an AddrPort as an address in errors.
type udpAddrPort struct{ netip.AddrPort }

func (udpAddrPort) Network() string { return "udp" }

// writeToUDP is writeMsg with a UDPAddr. Its error is an [OpError].
func (c *UDPConn) writeToUDP(b, oob []byte, addr *UDPAddr, needed bool, call string) (n, oobn int, err error) {
	var to netip.AddrPort
	switch {
	case addr == nil:
	case c.peer != nil:
		err = ErrWriteToConnected
	case addr.Port < 0 || addr.Port > math.MaxUint16:
		err = c.refusePort(addr.IP, call)
	default:
		var ip netip.Addr
		ip, err = ipFor(c.family, addr.IP)
		if c.family == unix.AF_INET6 {
			ip = ip.WithZone(addr.Zone)
		}
		to = netip.AddrPortFrom(ip, uint16(addr.Port))
	}
	if err == nil {
		n, oobn, err = c.writeMsg(b, oob, to, needed || addr != nil, call)
	}
	if err != nil {
		return 0, 0, c.refused(given(addr), err)
	}
	return n, oobn, nil
}

// refusePort returns the error of a write to a port that is out of range: the
// socket's own error if it can't be written to, else that of the system call.
func (c *UDPConn) refusePort(ip IP, call string) error {
	if _, err := ipFor(c.family, ip); err != nil {
		return err
	}
	if err := c.fd.CheckWrite(); err != nil {
		return err
	}
	return os.NewSyscallError(call, syscall.EINVAL)
}

// writeMsg sends a datagram to addr. If needed is not set, the zero addr means
// the peer.
func (c *UDPConn) writeMsg(b, oob []byte, addr netip.AddrPort, needed bool, call string) (n, oobn int, err error) {
	to, err := c.destination(addr, needed)
	if err == nil {
		n, oobn, err = c.send(b, oob, to, "", call)
	}
	if err != nil {
		return 0, 0, err
	}
	return n, oobn, nil
}

// destination converts addr to the form of a [sockets.Message] for this socket.
// The errors are std's.
func (c *UDPConn) destination(addr netip.AddrPort, needed bool) (netip.AddrPort, error) {
	switch {
	case c.peer != nil && (needed || addr.IsValid()):
		return netip.AddrPort{}, ErrWriteToConnected
	case c.peer != nil:
		return netip.AddrPort{}, nil
	case !addr.IsValid():
		return netip.AddrPort{}, errMissingAddress
	case c.family == unix.AF_INET6:
		return numbered(netip.AddrPortFrom(mapped(addr.Addr()), addr.Port())), nil
	case addr.Addr().Unmap().Is4():
		return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), nil
	}
	return netip.AddrPort{}, &AddrError{Err: "non-IPv4 address", Addr: addr.Addr().String()}
}

// shown returns an address for an error.
func shown(addr netip.AddrPort) Addr {
	if !addr.IsValid() {
		return nil
	}
	return stdnet.UDPAddrFromAddrPort(addr)
}
