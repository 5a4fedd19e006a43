package net

import (
	"context"
	stdnet "net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/eddyio/eddy/sockets"
)

// A resolver resolves addresses, for a task off the loop: a lookup may take
// seconds, and a task whose ctx is done does not wait for it.
type resolver struct{ *Resolver } // nil: the default one

// resolve resolves a TCP or UDP address with the default resolver.
func resolve(ctx context.Context, network, address string) ([]Addr, error) {
	return resolver{}.resolve(ctx, network, address)
}

func (r resolver) std() *Resolver {
	if r.Resolver == nil {
		return DefaultResolver
	}
	return r.Resolver
}

// resolve resolves a TCP or UDP address and returns the results, best first.
// For an empty host that is one address without an IP, meaning any.
func (r resolver) resolve(ctx context.Context, network, address string) ([]Addr, error) {
	if address == "" {
		return []Addr{inetAddr(network, nil, 0, "")}, nil
	}
	host, service, err := SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := r.port(ctx, network, service)
	if err != nil {
		return nil, err
	}
	return r.withPort(ctx, network, host, port)
}

// withPort returns a host's addresses in a network. In an IP network they have
// no port.
func (r resolver) withPort(ctx context.Context, network, host string, port int) ([]Addr, error) {
	if host == "" {
		return []Addr{inetAddr(network, nil, port, "")}, nil
	}
	ips, err := r.host(ctx, network, host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 1 && ips[0].IP.Equal(IPv6unspecified) {
		// As std does, for machines that can listen on [::] but not connect to it.
		ips = append(ips, IPAddr{IP: stdnet.IPv4zero})
	}
	var addrs []Addr
	last := network[len(network)-1]
	for _, ip := range ips {
		if v4 := ip.IP.To4() != nil; last == '4' && !v4 || last == '6' && v4 {
			continue
		}
		addrs = append(addrs, inetAddr(network, ip.IP, port, ip.Zone))
	}
	if len(addrs) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

// host returns a host's IPs, possibly including ones of a family that network
// does not have.
func (r resolver) host(ctx context.Context, network, host string) ([]IPAddr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []IPAddr{ipAddr(ip)}, nil
	}
	if own := socketsFor(ctx).Resolver(); own != nil {
		return lookupOwn(ctx, own, host)
	}
	kind := "ip"
	if last := network[len(network)-1]; last == '4' || last == '6' {
		kind += string(last)
	}
	lookup := withoutConnects(ctx)
	ips, err := offLoop(ctx, func() ([]IP, error) { return r.std().LookupIP(lookup, kind, host) })
	if err != nil {
		return nil, err
	}
	addrs := make([]IPAddr, len(ips))
	for i, ip := range ips {
		addrs[i].IP = ip
	}
	return addrs, nil
}

// lookupOwn looks a host up in a loop's own network.
func lookupOwn(ctx context.Context, own sockets.Resolver, host string) ([]IPAddr, error) {
	trace := traceOf(ctx)
	if !trace.none() {
		if err := byCaller(ctx, func() error { trace.dnsStart(host); return nil }); err != nil {
			return nil, err
		}
	}
	ips, err := own.LookupHost(host)
	addrs := make([]IPAddr, len(ips))
	for i, ip := range ips {
		addrs[i] = ipAddr(ip)
	}
	if !trace.none() {
		byCaller(ctx, func() error { trace.dnsDone(addrs, err); return nil })
	}
	if err != nil {
		return nil, err
	}
	return addrs, nil
}

// ipAddr returns an IP in std's form for literals: 16 bytes.
func ipAddr(a netip.Addr) IPAddr {
	return IPAddr{IP: IP(a.AsSlice()).To16(), Zone: a.Zone()}
}

func (r resolver) port(ctx context.Context, network, service string) (int, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return int(n), nil
	}
	if service == "" {
		return 0, nil
	}
	return offLoop(ctx, func() (int, error) {
		return r.std().LookupPort(callers(ctx), network, service)
	})
}

// LookupHost returns the IPs of a host, in the order in which to try them. It
// uses the [DefaultResolver], for a task on a goroutine off the loop, or the
// loop's socket calls if they resolve names themselves (see
// [sockets.Resolver]). ctx must belong to a loop; if it is done first
// LookupHost returns its error, although the lookup may go on for a while. It
// may be called from any goroutine, which waits like a caller of std's.
func LookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return onLoop(ctx, func(ctx context.Context) ([]netip.Addr, error) {
		ips, err := resolver{}.host(ctx, "ip", host)
		var addrs []netip.Addr
		for _, ip := range ips {
			if a, ok := netip.AddrFromSlice(ip.IP); ok {
				addrs = append(addrs, a.Unmap().WithZone(ip.Zone))
			}
		}
		return addrs, err
	})
}

// ResolveTCPAddr resolves a TCP address, to the first IPv4 one if a name has
// several; networks and addresses are as for [Dial]. Otherwise it is like
// [LookupHost].
func ResolveTCPAddr(ctx context.Context, network, address string) (*TCPAddr, error) {
	if network == "" {
		network = "tcp" // as in std, for old programs
	}
	if !isTCP(network) {
		return nil, UnknownNetworkError(network)
	}
	a, err := resolveOne(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return a.(*TCPAddr), nil
}

// ResolveUDPAddr is like [ResolveTCPAddr], for UDP.
func ResolveUDPAddr(ctx context.Context, network, address string) (*UDPAddr, error) {
	if network == "" {
		network = "udp"
	}
	if !isUDP(network) {
		return nil, UnknownNetworkError(network)
	}
	a, err := resolveOne(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return a.(*UDPAddr), nil
}

func resolveOne(ctx context.Context, network, address string) (Addr, error) {
	return onLoop(ctx, func(ctx context.Context) (Addr, error) {
		addrs, err := resolve(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// As in std, which looks for the brackets of an IPv6 literal only where
		// it may be one or the other.
		not4 := (network == "tcp" || network == "udp") && strings.Contains(address, "[")
		return best(addrs, not4), nil
	})
}

// best returns the first IPv4 address, or, if not4 is set, the first other one.
// If there is none, it returns the first address.
func best(addrs []Addr, not4 bool) Addr {
	for _, a := range addrs {
		if isIPv4(a) != not4 {
			return a
		}
	}
	return addrs[0]
}
