package sockets

import "net/netip"

// A Message is a datagram with what goes with it, to be sent or to be received.
// It may also be a piece of a stream: that is how a descriptor is passed.
type Message struct {
	// Data is what is sent, or where it is received to.
	Data []byte
	// Control is the same for control messages; see cmsg(3).
	Control []byte
	// Addr is the peer's address, if it has an Internet one: where the message
	// goes, or where it came from. The zero AddrPort sends to the peer that the
	// socket is connected to. It has the socket's family: to an IPv4 peer an
	// IPv6 socket sends by the address that is mapped into IPv6. A zone is the
	// number of an interface.
	Addr netip.AddrPort
	// Path is the peer's address in the Unix domain; on Linux it begins with
	// '@' for an abstract one.
	Path string

	// Receive and Send tell in N and NControl how much of Data and Control was
	// filled or sent, and Receive in Flags what recvmsg(2) tells, MSG_TRUNC
	// for a datagram that was longer than Data.
	N, NControl, Flags int
}
