package net

import (
	"context"
	"errors"
	stdnet "net"
	"net/netip"

	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// ErrWriteToConnected is in the error of a write to an address on a socket that
// is connected.
var ErrWriteToConnected = stdnet.ErrWriteToConnected

var errMissingAddress = errors.New("missing address")

// ListenPacket makes a socket for datagrams as the zero [ListenConfig] does: see
// [ListenConfig.ListenPacket].
func ListenPacket(ctx context.Context, network, address string) (PacketConn, error) {
	return new(ListenConfig).ListenPacket(ctx, network, address)
}

// ListenPacket makes a socket for datagrams, bound to a local address, and
// returns a [*UDPConn] or [*UnixConn]. The networks are "udp", "udp4", "udp6" and
// "unixgram"; addresses are as for the standard library's ListenPacket: without a
// host all local addresses are meant, and port 0 chooses one. The file of a Unix
// socket stays when it is closed, as with the standard library.
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

// packets is a conn whose reads and writes may be of messages, with an address
// and control messages each: what UDPConn and UnixConn have in common.
//
// Invariant: one is in use only from the moment that a call fills it in until it
// has taken out the results, between which nothing else runs on the loop. At all
// other times it refers to nothing.
type packets struct {
	conn
	one [1]sockets.Message
}

// bind makes c a socket that is bound, and connected to none.
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
	return nil
}

// receive waits for a message, and returns it without its Data and Control. It
// may bring descriptors if rights is set. call is the system call that a std conn
// would have made.
func (c *packets) receive(b, oob []byte, rights bool, call string) (sockets.Message, error) {
	return c.fd.ReadMsg(&c.one, b, oob, rights, call)
}

// send sends a message, and waits for room if need be. It returns how much of
// b and of oob was taken: all of it, unless the socket is a stream.
func (c *packets) send(b, oob []byte, to netip.AddrPort, path, call string) (n, oobn int, err error) {
	sent, err := c.fd.WriteMsg(&c.one, sockets.Message{Data: b, Control: oob, Addr: to, Path: path}, call)
	return sent.N, sent.NControl, err
}

// refused makes the error of a write to an address.
func (c *packets) refused(to Addr, err error) error {
	return opError("write", c.net(), c.local, to, err)
}
