package net

import (
	stdnet "net"
	"os"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// shareMulticast lets other sockets bind the same address; see socket(7).
func shareMulticast(sys sockets.Calls, fd int) error {
	return sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
}

// joinGroup4 names the interface by its index; see ip(7).
func joinGroup4(fd int, ifi *stdnet.Interface, group [4]byte) error {
	m := &unix.IPMreqn{Multiaddr: group}
	if ifi != nil {
		m.Ifindex = int32(ifi.Index)
		if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: m.Ifindex}); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, m))
}
