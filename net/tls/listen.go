package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// A Listener accepts TLS connections. It implements the standard library's
// net.Listener.
type Listener struct {
	net.Listener // of the connections below

	// HandshakeTimeout limits the handshakes of connections that tasks accept.
	// 0 means ten seconds; negative means no limit. It must be set before the
	// first Accept.
	HandshakeTimeout time.Duration

	// MaxHandshakes is the largest number of concurrent handshakes of
	// connections that tasks accept; 0 means no limit. A client waits for its
	// turn after its first bytes have arrived, and the wait counts as part of
	// its handshake; a client that has sent nothing does not take a turn. Each
	// handshake occupies the loop for about a millisecond, and uses some tens
	// of kilobytes while it lasts. Peers that stall can hold all turns for the
	// length of HandshakeTimeout: see net.Server.MaxConnsPerAddr. It must be
	// set before the first Accept.
	MaxHandshakes int

	ctx    context.Context
	config *Config
	crowd  *crowd
}

// Listen announces on a local address, like package net's Listen, and returns a
// [*Listener]. The config must have a certificate or a function that gets one.
func Listen(ctx context.Context, network, address string, config *Config) (net.Listener, error) {
	if config == nil || len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
		return nil, errors.New("tls: Listen without a certificate: set Certificates, GetCertificate or GetConfigForClient in the Config")
	}
	ln, err := net.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return NewListener(ctx, ln, config), nil
}

// NewListener returns a listener that accepts TLS connections over those of
// inner. ctx is any ctx of inner's loop. The config is as for [Listen].
func NewListener(ctx context.Context, inner net.Listener, config *Config) *Listener {
	return &Listener{Listener: inner, ctx: ctx, config: config}
}

// Accept waits for the next connection. It does not wait for the handshake, so
// a slow client does not delay others: the task or goroutine that serves the
// connection does it.
//
// A task gets a [*Conn]. Any other goroutine gets crypto/tls's own Conn over
// the loop's connection: blocking is allowed there, and code that serves
// connections on goroutines may need that type, as an http.Server does for
// HTTP/2. Its handshake, and the Config's functions, run on the goroutine that
// uses it, and HandshakeTimeout does not apply.
func (l *Listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if !core.OnLoop(l.ctx) {
		return tls.Server(inner, timedServer(l.ctx, l.config)), nil
	}
	c := Server(l.ctx, inner, l.config)
	c.SetHandshakeTimeout(l.HandshakeTimeout)
	if l.MaxHandshakes > 0 {
		if l.crowd == nil {
			l.crowd = reactor.NewSemaphore(l.MaxHandshakes)
		}
		c.crowd = l.crowd
	}
	return c, nil
}
