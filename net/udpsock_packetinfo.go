package net

import (
	"encoding/binary"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A PacketInfo tells of a datagram by which of the host's addresses and
// interfaces it came, or is to go. A socket that is bound to all addresses needs
// it to answer from the address that it was asked at; see
// [UDPConn.SetPacketInfo].
type PacketInfo struct {
	// Dst is where a datagram that was received had been sent to: an address of
	// this host, or a broadcast or multicast one. It is not sent.
	Dst netip.Addr

	// Src is the address of this host that a datagram is sent from; the zero
	// Addr leaves it to the kernel. Of one received it is that which an answer
	// is to come from: Dst, unless that is a broadcast or multicast address.
	Src netip.Addr

	// IfIndex is the number of the interface (see [Interface]) by which a
	// datagram came, or is to go; 0 leaves it to the kernel.
	IfIndex int
}

// PacketInfoSpace is how long a control buffer (the oob of
// [UDPConn.ReadMsgUDPAddrPort], the Control of a [Message]) must be for a
// PacketInfo, if there are no control messages but that.
const PacketInfoSpace = 128

// SetPacketInfo sets whether datagrams that are read come with a control
// message about where they came in, which [ParsePacketInfo] reads.
func (c *UDPConn) SetPacketInfo(on bool) error {
	return c.control("set", func(fd int) error {
		if c.family == unix.AF_INET6 {
			return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, boolInt(on)))
		}
		return os.NewSyscallError("setsockopt", setPacketInfo4(c.sys, fd, boolInt(on)))
	})
}

// ParsePacketInfo finds what is said of a datagram in the control messages that
// came with it. ok is false if there is nothing. It allocates nothing.
func ParsePacketInfo(control []byte) (info PacketInfo, ok bool) {
	for len(control) >= unix.CmsgLen(0) {
		h, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			break
		}
		switch {
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			info.take6(data)
			ok = true
		case h.Level == unix.IPPROTO_IP && info.take4(h.Type, data):
			ok = true
		}
		control = rest
	}
	return info, ok
}

// Reply is what an answer to a datagram, of which i tells, is to be sent with:
// its Src, and an interface only if Src is link-local, as it means nothing
// without one. On others the answer may take another way than the datagram did.
func (i PacketInfo) Reply() PacketInfo {
	r := PacketInfo{Src: i.Src}
	if i.Src.IsLinkLocalUnicast() {
		r.IfIndex = i.IfIndex
	}
	return r
}

// AppendControl appends the control message to b that makes a datagram go from
// i's Src and by its IfIndex: the oob of [UDPConn.WriteMsgUDPAddrPort], or the
// Control of a [Message]. It appends nothing if both are zero. A zero Src with an
// IfIndex counts as IPv4's: for IPv6 give netip.IPv6Unspecified.
//
// What the kernel makes of it differs: on Linux Src may be any address of the
// host; on BSD the socket must be bound to all addresses, and IfIndex counts for
// IPv6 only.
func (i PacketInfo) AppendControl(b []byte) []byte {
	if !i.Src.IsValid() && i.IfIndex == 0 {
		return b
	}
	if i.Src.Is6() {
		return i.append6(b)
	}
	return i.append4(b)
}

// unicast4 is an IPv4 address that a datagram was sent to, if it can be that of
// this host alone, as far as can be told without its networks' masks.
func unicast4(dst netip.Addr) netip.Addr {
	if dst.IsMulticast() || dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return dst
}

// in6_pktinfo is of the same form on all systems (RFC 3542, section 6): the
// address, and the interface's number in the machine's byte order.

func (i *PacketInfo) take6(data []byte) {
	i.Dst = netip.AddrFrom16([16]byte(data[:16]))
	i.IfIndex = int(binary.NativeEndian.Uint32(data[16:]))
	if !i.Dst.IsMulticast() {
		i.Src = i.Dst
	}
}

func (i PacketInfo) append6(b []byte) []byte {
	b, data := appendControl(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	addr := i.Src.As16()
	copy(data, addr[:])
	binary.NativeEndian.PutUint32(data[16:], uint32(i.IfIndex))
	return b
}

// appendControl appends a control message to b, and returns its data besides.
func appendControl(b []byte, level, typ, n int) (all, data []byte) {
	start := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(n))...)
	h := unix.Cmsghdr{Level: int32(level), Type: int32(typ)}
	h.SetLen(unix.CmsgLen(n))
	copy(b[start:], unsafe.Slice((*byte)(unsafe.Pointer(&h)), unix.SizeofCmsghdr))
	return b, b[start+unix.CmsgLen(0):][:n]
}
