package tls

import (
	"context"

	"github.com/eddyio/eddy/net"
)

// Dial connects to an address, like package net's Dial, and does the handshake.
// A nil config means the zero Config. If it has no ServerName, the server must
// have a certificate for the address's host.
//
// ctx must belong to a loop, and bounds both: use reactor.Timeout to set a
// limit. Dial may be called from any goroutine.
func Dial(ctx context.Context, network, address string, config *Config) (*Conn, error) {
	inner, err := net.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := Client(ctx, inner, named(config, address))
	if err := c.HandshakeContext(ctx); err != nil {
		inner.Close()
		return nil, err
	}
	return c, nil
}

// named gives a config the name of the server at address, unless it has one.
func named(config *Config, address string) *Config {
	if config == nil {
		config = &Config{}
	}
	if config.ServerName != "" {
		return config
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	config = config.Clone()
	config.ServerName = host
	return config
}
