package eddy

import "net/netip"

// A Resolver is what a [Sockets] may be besides: a network with names of its
// own, as a simulated one has. Who dials names on it asks LookupHost, and not
// the system.
type Resolver interface {
	// LookupHost returns a host's addresses, the best first, without waiting. It
	// is not asked about what is an IP already. The error for a name that it
	// does not have should be a *net.DNSError with IsNotFound.
	LookupHost(host string) ([]netip.Addr, error)
}
