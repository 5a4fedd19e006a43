package net

import (
	"net/netip"
	"syscall"

	"github.com/eddyio/eddy/reactor/poll"
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// A Message is a datagram of a batch. It differs from the Message of package
// golang.org/x/net/ipv4, whose address is an interface and costs an allocation
// for each datagram that is read. That package's ReadBatch works with a
// [*UDPConn] too.
//
// In a batch to write, Addr is as for [UDPConn.WriteMsgUDPAddrPort]: the zero
// AddrPort, or an address of either family that the socket can reach, with the
// name or index of its zone. In a batch that was read, Addr is as returned by
// [UDPConn.ReadFromUDPAddrPort]. Path is not used.
type Message = sockets.Message

// ReadBatch reads datagrams into ms, as many as there are, and returns how many.
// It waits for one if there is none. It fills each message's Data up to N, and
// its Control, if that is not empty, up to NControl.
//
// It does not allocate when a task calls it. On Linux it takes up to 64
// datagrams in one system call (recvmmsg(2)); on other systems it is no faster
// than reading one by one.
func (c *UDPConn) ReadBatch(ms []Message) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	n, err := c.fd.ReadMsgs(ms)
	if err != nil {
		return 0, c.failed("read", err)
	}
	for i := range ms[:n] {
		ms[i].Addr = named(ms[i].Addr)
	}
	return n, nil
}

// WriteBatch sends the datagrams ms, in order, and waits for room if necessary.
// It returns how many were sent; if that is not all of them, the error is that
// of the next one. It sets N and NControl of each message that was sent.
//
// It does not allocate when a task calls it. On Linux it sends up to 64
// datagrams in one system call (sendmmsg(2)), if their addresses are of the
// socket's own family; on other systems it is no faster than writing one by
// one.
func (c *UDPConn) WriteBatch(ms []Message) (int, error) {
	if !c.ok() {
		return 0, syscall.EINVAL
	}
	if !c.fd.IsDirect() {
		return c.fd.Indirectly(func() (int, error) { return c.WriteBatch(ms) })
	}
	n, err := c.writeBatch(ms)
	if err == nil {
		return n, nil
	}
	var to Addr
	if n < len(ms) {
		to = shown(ms[n].Addr)
	}
	return n, c.refused(to, err)
}

func (c *UDPConn) writeBatch(ms []Message) (n int, err error) {
	w, err := c.fd.LockMsgs()
	if err != nil {
		return 0, err
	}
	defer w.Unlock()
	for n < len(ms) && err == nil {
		var sent int
		if ready := c.readyToSend(ms[n:]); ready > 0 {
			sent, err = w.Write(ms[n:n+ready], "sendmmsg")
		} else {
			sent, err = c.sendTranslated(w, &ms[n])
		}
		n += sent
	}
	return n, err
}

// readyToSend returns how many messages at the beginning of ms have an address
// in the kernel's form.
func (c *UDPConn) readyToSend(ms []Message) (n int) {
	for n < len(ms) && ms[n].Path == "" && c.isReady(ms[n].Addr) {
		n++
	}
	return n
}

func (c *UDPConn) isReady(a netip.AddrPort) bool {
	switch {
	case c.peer != nil:
		return !a.IsValid()
	case c.family == unix.AF_INET:
		return a.Addr().Is4()
	}
	return a.Addr().Is6() && a.Addr().Zone() == ""
}

// sendTranslated sends one message whose address is not in the kernel's form.
func (c *UDPConn) sendTranslated(w poll.MsgWriter, m *Message) (int, error) {
	to, err := c.destination(m.Addr, false)
	if err != nil {
		return 0, err
	}
	sent, err := w.WriteOne(&c.one, Message{Data: m.Data, Control: m.Control, Addr: to}, "sendmsg")
	if err != nil {
		return 0, err
	}
	m.N, m.NControl = sent.N, sent.NControl
	return 1, nil
}
