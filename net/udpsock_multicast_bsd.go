//go:build darwin || freebsd || openbsd || netbsd || dragonfly

package net

import (
	"errors"
	stdnet "net"
	"os"

	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// shareMulticast lets other sockets bind the same address. Here one option is
// for the address and another for the port.
func shareMulticast(sys sockets.Calls, fd int) error {
	if err := sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return sys.SetInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// joinGroup4 names the interface by one of its addresses, which all these
// systems can do.
func joinGroup4(fd int, ifi *stdnet.Interface, group [4]byte) error {
	m := &unix.IPMreq{Multiaddr: group}
	if ifi != nil {
		var err error
		if m.Interface, err = interfaceIPv4(ifi); err != nil {
			return err
		}
		if err := unix.SetsockoptInet4Addr(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, m.Interface); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.SetsockoptByte(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 0); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, m))
}

func interfaceIPv4(ifi *stdnet.Interface) (ip [4]byte, err error) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return ip, err
	}
	for _, a := range addrs {
		if n, ok := a.(*stdnet.IPNet); ok && n.IP.To4() != nil {
			return [4]byte(n.IP.To4()), nil
		}
	}
	return ip, errors.New("the interface has no IPv4 address to join a multicast group from")
}
