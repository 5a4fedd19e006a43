package sockets

import "net/netip"

// A Message is a datagram with its control messages and address, to be sent or
// received. It may also be a piece of a stream: descriptors are passed that
// way.
type Message struct {
	// Data is the data to send, or the buffer to receive into.
	Data []byte
	// Control is the same for control messages; see cmsg(3).
	Control []byte
	// Addr is the peer's Internet address, if it has one: the destination or
	// the source. The zero AddrPort sends to the peer that the socket is
	// connected to. The address must have the socket's family: an IPv6 socket
	// sends to an IPv4 peer by its IPv4-mapped address. A zone is an interface
	// index.
	Addr netip.AddrPort
	// Path is the peer's address in the Unix domain; on Linux it begins with
	// '@' for an abstract one.
	Path string

	// Receive and Send set N and NControl to how much of Data and Control was
	// filled or sent. Receive sets Flags to those of recvmsg(2): MSG_TRUNC for
	// a datagram that was longer than Data.
	N, NControl, Flags int
}
