package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// ErrWriteToConnected is wrapped in the error of a write to an address on a
// connected socket.
var ErrWriteToConnected = stdnet.ErrWriteToConnected

var errMissingAddress = errors.New("missing address")

// ListenPacket makes a datagram socket with the zero [ListenConfig]; see
// [ListenConfig.ListenPacket].
func ListenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	return new(ListenConfig).ListenPacket(ctx, network, address)
}

// ListenPacket makes a datagram socket, bound to a local address, and returns a
// [*UDPConn] or [*UnixConn]. The networks are "udp", "udp4", "udp6" and
// "unixgram"; addresses are as for the standard library's ListenPacket: one
// without a host means all local addresses, and the kernel chooses a port for
// 0. Closing a Unix socket does not remove its file, as with the standard
// library.
//
// ctx must belong to a loop, which closes the socket when it ends. ListenPacket
// may be called from any goroutine.
func (lc *ListenConfig) ListenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	c, err := onThisLoop(ctx, reactor.LoopOf, lc.Control != nil, func(ctx context.Context) (PacketConn, error) {
		return lc.listenPacket(ctx, network, address)
	})
	if err != nil {
		return nil, opError("listen", network, nil, nil, err)
	}
	return c, nil
}

func (lc *ListenConfig) listenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	switch {
	case isUDP(network):
		addrs, err := resolve(ctx, network, address)
		if err != nil {
			return nil, err
		}
		laddr := firstIPv4(addrs)
		c, err := listenUDP(ctx, network, laddr.(*UDPAddr), lc)
		return packetConn(c, network, laddr, err)
	case network == "unixgram":
		laddr := &UnixAddr{Name: address, Net: network}
		c, err := listenUnixgram(ctx, laddr, lc)
		return packetConn(c, network, laddr, err)
	}
	return nil, notForThis(ctx, network, address)
}

func packetConn(c PacketConn, network string, laddr Addr, err error) (PacketConn, error) {
	if err != nil {
		return nil, opError("listen", network, nil, laddr, err)
	}
	return c, nil
}

// packets is the common part of UDPConn and UnixConn: a conn that reads and
// writes messages with an address and control messages.
//
// Invariant: one is in use only while a call fills it in and takes out the
// results; nothing else runs on the loop meanwhile. At all other times it holds
// no references.
type packets struct {
	conn
	one [1]sockets.Message
}

// bind makes a bound, unconnected socket for c.
func (c *packets) bind(ctx context.Context, s socketSpec) error {
	sys, fd, err := makeSocket(ctx, s)
	if err != nil {
		return err
	}
	if err := c.open(ctx, sys, fd, nil); err != nil {
		return err
	}
	if err := c.name(); err != nil {
		c.fd.Close()
		return err
	}
	return c.adopted(ctx)
}

// adopted makes the loop close c at its end, also if a goroutine has opened it.
func (c *packets) adopted(ctx context.Context) error {
	if loopApart(ctx) == nil {
		return nil
	}
	return c.fd.Adopt()
}

// receive waits for a message, and returns it without its Data and Control. It
// may bring descriptors if rights is set. call is the system call that a std
// conn would make, for errors.
func (c *packets) receive(b, oob []byte, rights bool, call string) (sockets.Message, error) {
	return c.fd.ReadMsg(&c.one, b, oob, rights, call)
}

// send sends a message, and waits for room if necessary. It returns how much of
// b and of oob was taken: all of it, unless the socket is a stream.
func (c *packets) send(b, oob []byte, to netip.AddrPort, path, call string) (n, oobn int, err error) {
	sent, err := c.fd.WriteMsg(&c.one, sockets.Message{Data: b, Control: oob, Addr: to, Path: path}, call)
	return sent.N, sent.NControl, err
}

// refused returns the error of a write to an address.
func (c *packets) refused(to Addr, err error) error {
	return opError("write", c.net(), c.local, to, err)
}
