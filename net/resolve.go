package net

import (
	"context"
	stdnet "net"
	"net/netip"
	"strconv"

	"github.com/eddyio/eddy/reactor"
)

// resolve returns the addresses that a TCP address stands for, the best first.
// Names are looked up off the loop, by the standard library's resolver. An empty
// host gives an invalid Addr, which stands for any.
func resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	host, service, err := SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := resolvePort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, port)}, nil
	}
	ips, err := resolveHost(ctx, host)
	if err != nil {
		return nil, err
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		if ip = ip.Unmap(); network == "tcp" || ip.Is4() == (network == "tcp4") {
			addrs = append(addrs, netip.AddrPortFrom(ip, port))
		}
	}
	if len(addrs) == 0 {
		return nil, &AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

func resolveHost(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	return reactor.ToThread(ctx, func() ([]netip.Addr, error) {
		return stdnet.DefaultResolver.LookupNetIP(ctx, "ip", host)
	})
}

func resolvePort(ctx context.Context, network, service string) (uint16, error) {
	if n, err := strconv.ParseUint(service, 10, 16); err == nil {
		return uint16(n), nil
	}
	if service == "" {
		return 0, nil
	}
	n, err := reactor.ToThread(ctx, func() (int, error) {
		return stdnet.DefaultResolver.LookupPort(ctx, network, service)
	})
	return uint16(n), err
}
