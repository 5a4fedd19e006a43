//go:build linux || darwin

package net

import (
	"encoding/binary"
	"net/netip"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// An in_pktinfo (ip(7) on Linux; netinet/in.h on Darwin) is three words: the
// interface's index, the address to answer from, and the destination, which is
// ignored when sending. Linux also sets the second for broadcasts and
// multicasts, Darwin leaves it zero.

func setPacketInfo4(sys sockets.Calls, fd, on int) error {
	return sys.SetInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, on)
}

func (i *PacketInfo) take4(typ int32, data []byte) bool {
	if typ != unix.IP_PKTINFO || len(data) < unix.SizeofInet4Pktinfo {
		return false
	}
	i.IfIndex = int(binary.NativeEndian.Uint32(data))
	i.Dst = netip.AddrFrom4([4]byte(data[8:12]))
	i.Src = netip.AddrFrom4([4]byte(data[4:8]))
	if i.Src.IsUnspecified() {
		i.Src = unicast4(i.Dst)
	}
	return true
}

func (i PacketInfo) append4(b []byte) []byte {
	b, data := appendControl(b, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
	binary.NativeEndian.PutUint32(data, uint32(i.IfIndex))
	if i.Src.IsValid() {
		src := i.Src.As4()
		copy(data[4:], src[:])
	}
	return b
}
