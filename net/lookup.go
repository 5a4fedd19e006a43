package net

import (
	"context"
	stdnet "net"
	"strings"
)

// The Lookup functions use the [DefaultResolver], like std's, but for a task on
// a goroutine off the loop. ctx must belong to a loop; if it is done first they
// return its error, although the lookup may go on for a while. They may be
// called from any goroutine, which waits like a caller of std's. On a loop whose socket calls resolve names
// themselves (see [sockets.Resolver]) there are names of hosts only: there all
// but [LookupHost], [LookupIP] and [LookupPort] find nothing.

// LookupAddr returns names of an IP, not necessarily all.
func LookupAddr(ctx context.Context, addr string) (names []string, err error) {
	return lookup(ctx, addr, func(ctx context.Context) ([]string, error) { return DefaultResolver.LookupAddr(ctx, addr) })
}

// LookupCNAME returns the canonical name of a host.
func LookupCNAME(ctx context.Context, host string) (cname string, err error) {
	return lookup(ctx, host, func(ctx context.Context) (string, error) { return DefaultResolver.LookupCNAME(ctx, host) })
}

// LookupIP returns the IPs of a host, as [LookupHost] does.
func LookupIP(ctx context.Context, host string) ([]IP, error) {
	return onLoop(ctx, func(ctx context.Context) ([]IP, error) {
		addrs, err := resolver{}.host(ctx, "ip", host)
		if err != nil {
			return nil, err
		}
		ips := make([]IP, len(addrs))
		for i, a := range addrs {
			ips[i] = a.IP
		}
		return ips, nil
	})
}

// LookupMX returns the mail servers of a domain, by preference.
func LookupMX(ctx context.Context, name string) ([]*MX, error) {
	return lookup(ctx, name, func(ctx context.Context) ([]*MX, error) { return DefaultResolver.LookupMX(ctx, name) })
}

// LookupNS returns the name servers of a domain.
func LookupNS(ctx context.Context, name string) ([]*NS, error) {
	return lookup(ctx, name, func(ctx context.Context) ([]*NS, error) { return DefaultResolver.LookupNS(ctx, name) })
}

// LookupPort returns the port for a service name or number.
func LookupPort(ctx context.Context, network, service string) (port int, err error) {
	return onLoop(ctx, func(ctx context.Context) (int, error) { return resolver{}.port(ctx, network, service) })
}

// LookupSRV returns the servers of a service in a domain, ordered by priority
// and randomized by weight; and the canonical name. It looks up
// "_service._proto.name", or name if service and proto are empty.
func LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*SRV, err error) {
	addrs, err = lookup(ctx, name, func(ctx context.Context) (addrs []*SRV, err error) {
		cname, addrs, err = DefaultResolver.LookupSRV(ctx, service, proto, name)
		return addrs, err
	})
	return cname, addrs, err
}

// LookupTXT returns the TXT records of a domain.
func LookupTXT(ctx context.Context, name string) ([]string, error) {
	return lookup(ctx, name, func(ctx context.Context) ([]string, error) { return DefaultResolver.LookupTXT(ctx, name) })
}

// lookup calls ask off the loop.
func lookup[T any](ctx context.Context, name string, ask func(ctx context.Context) (T, error)) (T, error) {
	return onLoop(ctx, func(ctx context.Context) (none T, err error) {
		if socketsFor(ctx).Resolver() != nil {
			return none, &DNSError{Err: "no such host: the loop's own network has names of hosts only", Name: name, IsNotFound: true}
		}
		asking := withoutConnects(ctx)
		return offLoop(ctx, func() (T, error) { return ask(asking) })
	})
}

// ResolveIPAddr returns an IP address of a host, the first IPv4 one if it has
// several. The networks are "ip", "ip4" and "ip6", optionally followed by a
// colon and a protocol. Otherwise it is like [LookupHost].
func ResolveIPAddr(ctx context.Context, network, address string) (*IPAddr, error) {
	if network == "" {
		network = "ip" // as in std, for old programs
	}
	return onLoop(ctx, func(ctx context.Context) (*IPAddr, error) {
		if err := checkIPNetwork(ctx, network); err != nil {
			return nil, err
		}
		family, _, _ := strings.Cut(network, ":")
		addrs, err := resolver{}.withPort(ctx, family, address, 0)
		if err != nil {
			return nil, err
		}
		not4 := network == "ip" && strings.Contains(address, ":")
		return best(addrs, not4).(*IPAddr), nil
	})
}

// checkIPNetwork lets std check a network's name, off the loop if that may read
// the system's list of protocols.
func checkIPNetwork(ctx context.Context, network string) error {
	check := func() (struct{}, error) {
		_, err := stdnet.ResolveIPAddr(network, "") // resolves no host
		return struct{}{}, err
	}
	if strings.Contains(network, ":") {
		_, err := offLoop(ctx, check)
		return err
	}
	_, err := check()
	return err
}
