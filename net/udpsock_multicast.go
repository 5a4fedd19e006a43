package net

import (
	"context"
	"errors"
	stdnet "net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// ListenMulticastUDP makes a UDP socket that receives datagrams for a multicast
// group and port, on the interface ifi, or on one that the kernel chooses if
// ifi is nil. Other sockets may listen to the same group and port. Datagrams
// that the socket itself sends to the group are not looped back to this
// machine. Otherwise it is like [ListenUDP].
//
// It needs the kernel's own sockets: it fails on a loop with other socket calls
// (reactor's Options.Sockets).
func ListenMulticastUDP(ctx context.Context, network string, ifi *stdnet.Interface, gaddr *UDPAddr) (*UDPConn, error) {
	c, err := onLoop(ctx, func(ctx context.Context) (*UDPConn, error) { return listenMulticast(ctx, network, ifi, gaddr) })
	if err != nil {
		return nil, opError("listen", network, nil, given(gaddr), err)
	}
	return c, nil
}

var errNoMulticast = errors.New("the loop's sockets can't join a multicast group: they are not sockets.System")

func listenMulticast(ctx context.Context, network string, ifi *stdnet.Interface, gaddr *UDPAddr) (*UDPConn, error) {
	if !isUDP(network) {
		return nil, UnknownNetworkError(network)
	}
	if gaddr == nil || gaddr.IP == nil {
		return nil, errMissingAddress
	}
	if _, real := socketsFor(ctx).(sockets.System); !real {
		return nil, errNoMulticast
	}
	c, err := listenUDP(ctx, network, gaddr, new(ListenConfig))
	if err != nil {
		return nil, err
	}
	err = c.fd.Control(func(fd int) error {
		if ip := gaddr.IP.To4(); ip != nil {
			return joinGroup4(fd, ifi, [4]byte(ip))
		}
		return joinGroup6(fd, ifi, gaddr.IP)
	})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func joinGroup6(fd int, ifi *stdnet.Interface, group IP) error {
	m := &unix.IPv6Mreq{}
	copy(m.Multiaddr[:], group)
	if ifi != nil {
		m.Interface = uint32(ifi.Index)
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, ifi.Index); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_LOOP, 0); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, m))
}
