package net

import (
	"context"
	"errors"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

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
	for {
		if err := c.fd.WaitRead(); err != nil {
			return sockets.Message{}, err
		}
		c.one[0].Data, c.one[0].Control = b, oob
		errno := c.receiveOne(rights)
		m := c.takeOne()
		switch errno {
		case 0:
			if m.N == 0 && !c.datagram {
				return m, io.EOF
			}
			return m, nil
		case syscall.EAGAIN:
			c.fd.ReadBlocked()
		case syscall.EINTR:
		default:
			return sockets.Message{}, os.NewSyscallError(call, errno)
		}
	}
}

func (c *packets) receiveOne(rights bool) (errno syscall.Errno) {
	if rights {
		_, errno = receiveRights(c.sys, c.fd.Sysfd(), c.one[:])
	} else {
		_, errno = c.sys.Receive(c.fd.Sysfd(), c.one[:], unix.MSG_DONTWAIT)
	}
	return errno
}

// send sends a message, and waits for room if need be. It returns how much of
// b and of oob was taken: all of it, unless the socket is a stream.
func (c *packets) send(b, oob []byte, to netip.AddrPort, path, call string) (n, oobn int, err error) {
	if err := c.fd.LockWrite(); err != nil {
		return 0, 0, err
	}
	defer c.fd.UnlockWrite()
	return c.sendLocked(sockets.Message{Data: b, Control: oob, Addr: to, Path: path}, call)
}

func (c *packets) writeElsewhere(b, oob []byte, to netip.AddrPort, path, call string) (n, oobn int, err error) {
	sent, err := elsewhere(&c.fd, func() ([2]int, error) {
		n, oobn, err := c.send(b, oob, to, path, call)
		return [2]int{n, oobn}, err
	})
	return sent[0], sent[1], err
}

func (c *packets) sendLocked(m sockets.Message, call string) (n, oobn int, err error) {
	for full := 0; ; {
		if err := c.fd.WaitWrite(); err != nil {
			return 0, 0, err
		}
		c.one[0] = m
		_, errno := c.sys.Send(c.fd.Sysfd(), c.one[:], unix.MSG_DONTWAIT)
		sent := c.takeOne()
		switch errno {
		case 0:
			return sent.N, sent.NControl, nil
		case syscall.EAGAIN:
			full++
			if err := c.blocked(m.Path != "", full); err != nil {
				return 0, 0, err
			}
		case syscall.EINTR:
		default:
			return 0, 0, os.NewSyscallError(call, errno)
		}
	}
}

// blocked is called when a message could not be sent for the n-th time. To a Unix
// socket by name that can mean that the receiver's queue is full, of which epoll
// tells nothing: it says that this socket can be written, each time anew
// (unix_dgram_poll in the kernel's net/unix/af_unix.c looks at the queue of a
// connected peer only). So as not to spin it tries again after a time, 10 ms at
// most, if some turns have not helped.
func (c *packets) blocked(named bool, n int) error {
	const turns = 16
	if !named || n <= turns {
		c.fd.WriteBlocked()
		return nil
	}
	return c.fd.PauseWrite(min(100*time.Microsecond<<min(n-turns, 10), 10*time.Millisecond))
}

func (c *packets) takeOne() sockets.Message {
	m := c.one[0]
	m.Data, m.Control = nil, nil
	c.one[0] = sockets.Message{}
	return m
}

// refused makes the error of a write to an address.
func (c *packets) refused(to Addr, err error) error {
	return opError("write", c.net(), c.local, to, err)
}
