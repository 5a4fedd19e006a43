package net

import (
	"context"
	stdnet "net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/reactor"
)

// A resolver looks up what addresses stand for, off the loop: a look-up may take
// seconds, and when ctx is done first the task does not wait for it.
type resolver struct{ *Resolver } // nil: the default one

// resolve is what the default resolver makes of a TCP or UDP address.
func resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	return resolver{}.resolve(ctx, network, address)
}

func (r resolver) std() *Resolver {
	if r.Resolver == nil {
		return DefaultResolver
	}
	return r.Resolver
}

// resolve returns the addresses that a TCP or UDP address stands for, the best
// first. An empty host gives an invalid Addr, which stands for any.
func (r resolver) resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	if address == "" {
		return []netip.AddrPort{{}}, nil
	}
	host, service, err := SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := r.port(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, port)}, nil
	}
	ips, err := r.host(ctx, network, host)
	if err != nil {
		return nil, err
	}
	if addrs := ofFamily(network, ips, port); len(addrs) > 0 {
		return addrs, nil
	}
	return nil, &AddrError{Err: "no suitable address found", Addr: host}
}

// ofFamily returns the IPs that a network has, with a port.
func ofFamily(network string, ips []netip.Addr, port uint16) (addrs []netip.AddrPort) {
	last := network[len(network)-1]
	for _, ip := range ips {
		ip = ip.Unmap()
		if last == '4' && !ip.Is4() || last == '6' && !ip.Is6() {
			continue
		}
		addrs = append(addrs, netip.AddrPortFrom(ip, port))
	}
	if len(ips) == 1 && ips[0] == netip.IPv6Unspecified() && last != '6' {
		// As std does, for machines that can listen on [::] but not connect to it.
		addrs = append(addrs, netip.AddrPortFrom(netip.IPv4Unspecified(), port))
	}
	return addrs
}

// host returns a host's IPs, of one that a network lacks too if they are at hand.
func (r resolver) host(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if own, ok := reactor.Sockets(ctx).(eddy.Resolver); ok {
		return own.LookupHost(host)
	}
	kind := "ip"
	if last := network[len(network)-1]; last == '4' || last == '6' {
		kind += string(last)
	}
	return reactor.ToThread(ctx, func() ([]netip.Addr, error) {
		return r.std().LookupNetIP(ctx, kind, host)
	})
}

func (r resolver) port(ctx context.Context, network, service string) (uint16, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	if service == "" {
		return 0, nil
	}
	n, err := reactor.ToThread(ctx, func() (int, error) {
		return r.std().LookupPort(ctx, network, service)
	})
	return uint16(n), err
}

// LookupHost returns the IPs of a host, in the order in which they are best
// tried. It is [Resolver.LookupNetIP] of the [DefaultResolver], on a goroutine
// off the loop, or what the loop's socket calls say if they have names of their
// own (see [eddy.Resolver]). When ctx, which must belong to a loop, is done first
// the error is ctx's, though the look-up may go on for a while. It may be called
// from any goroutine.
func LookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return onLoop(ctx, func(ctx context.Context) ([]netip.Addr, error) {
		return resolver{}.host(ctx, "ip", host)
	})
}

// ResolveTCPAddr returns the TCP address that address stands for, the first IPv4
// one if a name has several; networks and addresses are as for [Dial]. ctx and
// the rest are as for [LookupHost].
func ResolveTCPAddr(ctx context.Context, network, address string) (*TCPAddr, error) {
	if network == "" {
		network = "tcp" // as in std, for the sake of old programs
	}
	if !isTCP(network) {
		return nil, UnknownNetworkError(network)
	}
	a, err := resolveOne(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return stdnet.TCPAddrFromAddrPort(a), nil
}

// ResolveUDPAddr is as [ResolveTCPAddr], for UDP.
func ResolveUDPAddr(ctx context.Context, network, address string) (*UDPAddr, error) {
	switch network {
	case "":
		network = "udp"
	case "udp", "udp4", "udp6":
	default:
		return nil, UnknownNetworkError(network)
	}
	a, err := resolveOne(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return stdnet.UDPAddrFromAddrPort(a), nil
}

func resolveOne(ctx context.Context, network, address string) (netip.AddrPort, error) {
	return onLoop(ctx, func(ctx context.Context) (netip.AddrPort, error) {
		addrs, err := resolve(ctx, network, address)
		if err != nil {
			return netip.AddrPort{}, err
		}
		for _, a := range addrs {
			if isIPv4(a) == !strings.Contains(address, "[") { // an IPv6 literal has brackets
				return a, nil
			}
		}
		return addrs[0], nil
	})
}
