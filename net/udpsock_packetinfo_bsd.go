//go:build freebsd || openbsd || netbsd || dragonfly

package net

import (
	"encoding/binary"
	"net/netip"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// The destination address and the interface of a datagram come in separate
// messages: IP_RECVDSTADDR and IP_RECVIF, see ip(4). The interface is a
// sockaddr_dl, with the index in bytes 2 and 3.

func setPacketInfo4(sys sockets.Calls, fd, on int) error {
	if err := sys.SetInt(fd, unix.IPPROTO_IP, unix.IP_RECVDSTADDR, on); err != nil {
		return err
	}
	return sys.SetInt(fd, unix.IPPROTO_IP, unix.IP_RECVIF, on)
}

func (i *PacketInfo) take4(typ int32, data []byte) bool {
	switch {
	case typ == unix.IP_RECVDSTADDR && len(data) >= 4:
		i.Dst = netip.AddrFrom4([4]byte(data[:4]))
		i.Src = unicast4(i.Dst)
		return true
	case typ == unix.IP_RECVIF && len(data) >= 4:
		i.IfIndex = int(binary.NativeEndian.Uint16(data[2:]))
		return true
	}
	return false
}

// append4 appends an IP_SENDSRCADDR, which has the same value as
// IP_RECVDSTADDR. There is no message for the interface.
func (i PacketInfo) append4(b []byte) []byte {
	if !i.Src.IsValid() {
		return b
	}
	b, data := appendControl(b, unix.IPPROTO_IP, unix.IP_RECVDSTADDR, 4)
	src := i.Src.As4()
	copy(data, src[:])
	return b
}
