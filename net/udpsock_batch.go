package net

import (
	"net/netip"
	"syscall"

	"github.com/eddyio/eddy/reactor/poll"
	"github.com/eddyio/eddy/sockets"
	"golang.org/x/sys/unix"
)

// A Message is a datagram of a batch. It is not of the form that package
// golang.org/x/net/ipv4 has, whose addresses are interfaces, an allocation for
// each datagram that is read; that package's own ReadBatch works with a
// [*UDPConn] too.
//
// In a batch that is written Addr is as for [UDPConn.WriteMsgUDPAddrPort]: the
// zero AddrPort, or an address of either family to a socket that can reach it,
// with the name or number of its zone. In a batch that was read it is as
// [UDPConn.ReadFromUDPAddrPort] returns it. Path is not used.
type Message = sockets.Message

// ReadBatch reads datagrams into ms, as many as there are, and returns how many.
// It waits for one if there is none. Each message has its Data, and its Control
// if it is to get control messages, filled up to N and NControl.
//
// It allocates nothing when it is called by a task. On Linux it takes up to 64
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

// WriteBatch sends the datagrams ms, in their order, and waits for room if need
// be. It returns how many were sent; if that is not all of them, the error says
// what was wrong with the next one. Each message that was sent has its N and
// NControl set.
//
// It allocates nothing when it is called by a task. On Linux it sends up to 64
// datagrams in one system call (sendmmsg(2)), if their addresses are of the
// socket's own family; on other systems it is no faster than writing one by one.
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

// readyToSend is how many of the first of ms have an address as the kernel
// takes it.
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

// sendTranslated sends one message, whose address is not of the kernel's form.
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
