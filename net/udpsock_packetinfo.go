package net

import (
	"encoding/binary"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A PacketInfo holds the host's address and interface that a datagram came by,
// or is sent by. A socket that is bound to all addresses needs it to answer
// from the address that a request was sent to; see [UDPConn.SetPacketInfo].
type PacketInfo struct {
	// Dst is the destination of a received datagram: an address of this host,
	// or a broadcast or multicast one. It is ignored when sending.
	Dst netip.Addr

	// Src is the address of this host to send a datagram from; if it is zero,
	// the kernel chooses. For a received datagram it is the address to answer
	// from: Dst, unless that is a broadcast or multicast address.
	Src netip.Addr

	// IfIndex is the index of the [Interface] that a datagram came by, or is
	// sent by; if it is 0, the kernel chooses.
	IfIndex int
}

// PacketInfoSpace is the length of a control buffer (the oob of
// [UDPConn.ReadMsgUDPAddrPort], the Control of a [Message]) that has room for a
// PacketInfo and no other control messages.
const PacketInfoSpace = 128

// SetPacketInfo sets whether datagrams are received with a control message that
// [ParsePacketInfo] parses.
func (c *UDPConn) SetPacketInfo(on bool) error {
	return c.control("set", func(fd int) error {
		if c.family == unix.AF_INET6 {
			return os.NewSyscallError("setsockopt", c.sys.SetInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, boolInt(on)))
		}
		return os.NewSyscallError("setsockopt", setPacketInfo4(c.sys, fd, boolInt(on)))
	})
}

// ParsePacketInfo returns the PacketInfo in the control messages of a datagram.
// ok is false if there is none. It does not allocate.
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

// Reply returns the PacketInfo for an answer to the datagram that i describes:
// its Src, and its interface only if Src is link-local, because such an address
// is meaningless without one. Otherwise the answer may take another route than
// the datagram.
func (i PacketInfo) Reply() PacketInfo {
	r := PacketInfo{Src: i.Src}
	if i.Src.IsLinkLocalUnicast() {
		r.IfIndex = i.IfIndex
	}
	return r
}

// AppendControl appends to b the control message that sends a datagram from i's
// Src and by its IfIndex. Use the result as the oob of
// [UDPConn.WriteMsgUDPAddrPort], or the Control of a [Message]. It appends
// nothing if both are zero. A zero Src with an IfIndex means IPv4: for IPv6 use
// netip.IPv6Unspecified.
//
// Kernels differ: on Linux Src may be any address of the host; on BSD the
// socket must be bound to all addresses, and IfIndex is used for IPv6 only.
func (i PacketInfo) AppendControl(b []byte) []byte {
	if !i.Src.IsValid() && i.IfIndex == 0 {
		return b
	}
	if i.Src.Is6() {
		return i.append6(b)
	}
	return i.append4(b)
}

// unicast4 returns dst if it is a unicast address, as far as can be told
// without the netmasks of this host's networks, and else the zero Addr.
func unicast4(dst netip.Addr) netip.Addr {
	if dst.IsMulticast() || dst == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return dst
}

// in6_pktinfo has the same layout on all systems (RFC 3542, section 6): the
// address, and the interface's index in native byte order.

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

// appendControl appends a control message to b, and returns the result and the
// message's data.
func appendControl(b []byte, level, typ, n int) (all, data []byte) {
	start := len(b)
	b = append(b, make([]byte, unix.CmsgSpace(n))...)
	h := unix.Cmsghdr{Level: int32(level), Type: int32(typ)}
	h.SetLen(unix.CmsgLen(n))
	copy(b[start:], unsafe.Slice((*byte)(unsafe.Pointer(&h)), unix.SizeofCmsghdr))
	return b, b[start+unix.CmsgLen(0):][:n]
}
